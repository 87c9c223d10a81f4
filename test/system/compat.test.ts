import t from 'tap';
import { checkSections, createPlayer, readTranscript } from '../compat/play.ts';
import { busyboxArchive } from '../helpers/busybox-archive.ts';
import { MachineHarness } from './machine-harness.ts';

/** Of each transcript what a VM can change: kernel, cgroups, clock, network, files of the host and the way in by TLS. */
const played: Readonly<Record<string, readonly string[]>> = {
  run: [
    "output and exit codes are the program's",
    'stdin goes in and ends',
    'limits',
    'capabilities',
    'terminals',
  ],
  lifecycle: ['start, stop and their exit codes', 'pause'],
  exec: ['exec in a running container'],
  logs: ['logs', 'logs are followed to the end'],
  networks: ['connect and disconnect'],
  volumes: ['data stays and is copied up', 'anonymous volumes', 'bind mounts'],
  cp: ['into a container'],
  system: ['health checks'],
};

const missing = MachineHarness.missing();
t.test(
  "a machine answers the stock docker CLI with dockerd's words",
  { ...(missing && { skip: missing }), timeout: 1_500_000 },
  async (t) => {
    const harness = await MachineHarness.openFor(t);
    await harness.succeed('create', 'dev');
    t.equal((await harness.docker('dev', ['load'], { input: await busyboxArchive() })).exitCode, 0);
    const env = { ...harness.env, ...(await harness.environment('dev')) };
    const player = await createPlayer({ directory: harness.store, env }, { patienceS: 60 });
    for (const [name, titles] of Object.entries(played)) {
      const sections = readTranscript(name).filter(({ title }) => titles.includes(title));
      t.equal(sections.length, titles.length, `${name} has these sections`);
      await checkSections(t, player, sections);
    }
  },
);
