import t from 'tap';
import { type BuildDoor, testBuildCorpus } from '../helpers/build-corpus.ts';
import { EngineHarness } from './engine-harness.ts';

const missing = EngineHarness.missing() ?? false;

t.test('every Dockerfile of the corpus, by the classic builder', { skip: missing }, async (t) => {
  t.setTimeout(600_000);
  const engine = await EngineHarness.open(t, ['--bip', '172.31.27.1/24']);
  await engine.loadBusybox();
  const door: BuildDoor = {
    name: 'classic',
    async build(directory, { tag, flags }) {
      const env = { DOCKER_BUILDKIT: '0' };
      const built = await engine.docker(['build', '-t', tag, ...flags, directory], { env });
      return { exitCode: built.exitCode, output: built.stdout + built.stderr };
    },
  };
  await testBuildCorpus(t, engine, door);
});
