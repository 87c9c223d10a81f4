import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { useBuildx } from '../helpers/buildx.ts';
import { EngineHarness } from './engine-harness.ts';

const dockerfile = `FROM busybox AS base
ARG WHO=world
RUN echo "hello $WHO" >/greeting
COPY a.txt sub /data/
FROM base
ENV X=1
WORKDIR /w
RUN cat /greeting /data/* >all
CMD ["cat", "all"]
`;

/** A build of two stages, with a context of which something is not sent. */
export const twoStages = {
  Dockerfile: dockerfile,
  'a.txt': 'a\n',
  'sub/b.txt': 'b\n',
  '.dockerignore': '*.log\n',
  'c.log': 'c',
};

/** An engine with busybox, and a directory with these files to build; the reason when buildx cannot be had. */
export async function openBuildx(
  t: Test,
  files: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
) {
  const engine = await EngineHarness.open(t, ['--bip', '172.31.28.1/24', ...flags]);
  const missing = await useBuildx(engine.env);
  if (missing) return missing;
  await engine.loadBusybox();
  const context = join(engine.directory, 'context');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(context, path, '..'), { recursive: true });
    writeFileSync(join(context, path), content);
  }
  const build = (...args: string[]) =>
    engine.docker(['buildx', 'build', '--progress', 'plain', ...args], { cwd: context });
  const built = async (...args: string[]) => {
    const { stderr, exitCode } = await build(...args);
    if (exitCode !== 0) throw new Error(stderr);
    return stderr;
  };
  return { engine, context, build, built };
}
