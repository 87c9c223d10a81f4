import t from 'tap';
import { type BuildDoor, testBuildCorpus } from '../helpers/build-corpus.ts';
import { useBuildx } from '../helpers/buildx.ts';
import { EngineHarness } from './engine-harness.ts';

t.setTimeout(600_000);
const missing = EngineHarness.missing() ?? false;

t.test('every Dockerfile of the corpus, by buildx', { skip: missing, timeout: 600_000 }, async (t) => {
  const engine = await EngineHarness.open(t, ['--bip', '172.31.28.1/24']);
  const absent = await useBuildx(engine.env);
  if (absent) return t.plan(0, absent);
  await engine.loadBusybox();
  const id = async (tag: string) => (await engine.output(['image', 'inspect', '-f', '{{.Id}}', tag])).trim();
  const door: BuildDoor = {
    name: 'buildkit',
    async build(directory, { tag, flags }) {
      const words = ['buildx', 'build', '--progress', 'plain', '-t', tag, ...flags, directory];
      const { exitCode, stdout, stderr } = await engine.docker(words);
      if (exitCode === 0) {
        const env = { DOCKER_BUILDKIT: '0' };
        const classic = await engine.docker(['build', '-t', `${tag}-classic`, ...flags, directory], { env });
        // Where labels are instructions; what it refuses is the other corpus's.
        if (classic.exitCode !== 0 || flags.includes('--label')) return { exitCode, output: stdout + stderr };
        t.equal(
          await id(`${tag}-classic`),
          await id(tag),
          `${tag}: the classic builder makes the same image`,
        );
      }
      return { exitCode, output: stdout + stderr };
    },
  };
  await testBuildCorpus(t, engine, door);
});
