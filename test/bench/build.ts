import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBuildx } from '../helpers/buildx.ts';
import { openContenders } from './engine/contenders.ts';
import { interleave, row, settleDisk, timed } from './measure.ts';

/**
 * Builds by the classic builder and by buildx, ours against Debian's dockerd in the same run; bars as ratios of
 * medians.
 * Usage: node dist/test/bench/build.js [part of a name], as root, by the Node of guests (24).
 */
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
  readonly rounds: number;
  readonly dockerfile: string;
  readonly flags?: readonly string[];
  /** By buildx, not the classic builder. */
  readonly buildx?: boolean;
}

const copy = 'FROM busybox\nCOPY big /big\n';
const fresh = ['--no-cache'];
const wanted = process.argv[2] ?? '';

const cases: readonly Case[] = [
  { name: 'ten instructions, uncached', bar: 0.5, rounds: 7, dockerfile: steps, flags: fresh },
  { name: 'the same, all cached', bar: 1, rounds: 21, dockerfile: steps },
  { name: 'COPY of 200 MB', bar: 0.8, rounds: 7, dockerfile: copy, flags: fresh },
  { name: 'buildx, ten, uncached', bar: 0.5, rounds: 7, dockerfile: steps, flags: fresh, buildx: true },
  { name: 'buildx, ten, all cached', bar: 1, rounds: 21, dockerfile: steps, buildx: true },
  { name: 'buildx, 200 MB, not sent', bar: 1, rounds: 7, dockerfile: copy, flags: fresh, buildx: true },
  { name: 'buildx, 200 MB, all cached', bar: 1, rounds: 7, dockerfile: copy, buildx: true },
];

await using contenders = await openContenders();
for (const { subject } of [contenders.machine, contenders.dockerd]) {
  const missing = await useBuildx(subject.env);
  if (missing) throw new Error(missing);
}
const directory = await mkdtemp(join(tmpdir(), 'bench-build-'));
let failed = false;
try {
  for (const { name, bar, rounds, dockerfile, flags = [], buildx } of cases) {
    if (!name.includes(wanted)) continue;
    await writeFile(join(directory, 'Dockerfile'), dockerfile);
    await writeFile(join(directory, 'a'), 'A');
    const big = dockerfile.includes('big');
    await writeFile(join(directory, 'big'), Buffer.alloc(big ? copiedBytes : 0, 'x'));
    const build = async (who: 'machine' | 'dockerd', flags: readonly string[]) => {
      settleDisk();
      const args = ['build', '-q', '-t', 'bench', ...flags, directory];
      const env = { DOCKER_BUILDKIT: buildx ? '1' : '0' };
      return timed(() => contenders[who].subject.output(args, { env }));
    };
    for (const who of ['machine', 'dockerd'] as const) await build(who, []);
    const { machine, dockerd } = await interleave(rounds, {
      machine: () => build('machine', flags),
      dockerd: () => build('dockerd', flags),
    });
    const ratio = machine.median / dockerd.median;
    failed ||= ratio > bar;
    const verdict = ratio <= bar ? 'ok' : 'too slow';
    console.log(row(`${name}: machine`, machine));
    console.log(row(`${name}: dockerd`, dockerd));
    console.log(`  ratio ${ratio.toFixed(2)} (bar ${bar}) ${verdict}`);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
