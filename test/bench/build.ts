import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Subject } from '../compat/subject.ts';
import { openContenders } from './engine/contenders.ts';

/** Builds by the classic builder, ours against Debian's dockerd in the same run; bars as ratios of medians. */
const rounds = 3;
const copiedBytes = 200 * 1024 * 1024;

const steps = `FROM busybox
ENV A=1
WORKDIR /w
COPY a /w/a
RUN echo 1 >/w/1
LABEL a=b
RUN echo 2 >/w/2
USER 1
RUN echo 3
CMD ["true"]
`;

interface Case {
  readonly name: string;
  readonly bar: number;
  readonly dockerfile: string;
  readonly flags: readonly string[];
}

const cases: readonly Case[] = [
  { name: 'ten instructions, three RUN, uncached', bar: 0.5, dockerfile: steps, flags: ['--no-cache'] },
  { name: 'the same, all cached', bar: 1, dockerfile: steps, flags: [] },
  { name: 'COPY of 200 MB', bar: 0.8, dockerfile: 'FROM busybox\nCOPY big /big\n', flags: ['--no-cache'] },
];

async function timed(subject: Subject, directory: string, flags: readonly string[]): Promise<number> {
  const begun = performance.now();
  const args = ['build', '-q', '-t', 'bench', ...flags, directory];
  await subject.output(args, { env: { DOCKER_BUILDKIT: '0' } });
  return performance.now() - begun;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

await using contenders = await openContenders();
const directory = await mkdtemp(join(tmpdir(), 'bench-build-'));
let failed = false;
try {
  for (const { name, bar, dockerfile, flags } of cases) {
    await writeFile(join(directory, 'Dockerfile'), dockerfile);
    await writeFile(join(directory, 'a'), 'A');
    const big = dockerfile.includes('big');
    await writeFile(join(directory, 'big'), Buffer.alloc(big ? copiedBytes : 0, 'x'));
    const times = { machine: [] as number[], dockerd: [] as number[] };
    for (const who of ['machine', 'dockerd'] as const) await timed(contenders[who].subject, directory, []);
    for (let i = 0; i < rounds; i++)
      for (const who of ['machine', 'dockerd'] as const)
        times[who].push(await timed(contenders[who].subject, directory, flags));
    const [ours, theirs] = [median(times.machine), median(times.dockerd)];
    const ratio = ours / theirs;
    failed ||= ratio > bar;
    const verdict = ratio <= bar ? 'ok' : 'too slow';
    process.stdout.write(
      `${name}: ${ours.toFixed(0)} ms, dockerd ${theirs.toFixed(0)} ms, ${ratio.toFixed(2)} (bar ${bar}) ${verdict}\n`,
    );
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
