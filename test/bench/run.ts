/**
 * What a container costs in a machine: the stock docker CLI from the host against a bare `crun run` of the
 * same program in the same guest; and what the agent weighs.
 * Usage: node dist/test/bench/run.js [rounds]
 */
import { MachineHarness } from '../system/machine-harness.ts';
import { interleave, row, timed } from './measure.ts';

/** Milliseconds of one run, by the guest's own clock. */
const bareRun = `cd /run/bench; read s _ < /proc/uptime; crun run "b$$" >/dev/null; read e _ < /proc/uptime
awk "BEGIN { print ($e - $s) * 1000 }"`;

const rounds = Number(process.argv[2] ?? 7);
const harness = await MachineHarness.open();
try {
  const created = await harness.machine(['create', 'bench']);
  if (created.exitCode !== 0) throw new Error(created.stderr);
  const env = await harness.environment('bench');
  const docker = (...args: string[]) => harness.docker('bench', args, { env });
  const ssh = async (script: string) => {
    const { stdout, stderr, exitCode } = await harness.machine(['ssh', 'bench', 'sh'], { input: script });
    if (exitCode !== 0) throw new Error(`in the guest: ${stderr}`);
    return stdout;
  };

  await ssh(`set -e
mkdir -p /run/bench/rootfs/bin; cd /run/bench; cp /usr/bin/busybox rootfs/bin/busybox
crun spec; sed -i 's/"terminal": true/"terminal": false/; s#"sh"#"/bin/busybox", "true"#' config.json`);
  await docker('run', '-d', '--name', 'sleeper', 'busybox', 'sleep', '100000');

  const results = await interleave(rounds, {
    'docker run --rm busybox true': () => timed(() => docker('run', '--rm', 'busybox', 'true')),
    'docker run --rm --network none busybox true': () =>
      timed(() => docker('run', '--rm', '--network', 'none', 'busybox', 'true')),
    'docker exec sleeper true': () => timed(() => docker('exec', 'sleeper', 'true')),
    'docker version (the CLI and one round trip)': () => timed(() => docker('version')),
    'bare crun run in the guest': async () => Number(await ssh(bareRun)),
  });
  for (const [name, result] of Object.entries(results)) console.log(row(name, result));
  const bare = results['bare crun run in the guest'].median;
  const ratio = results['docker run --rm busybox true'].median / bare;
  console.log(`docker run / bare crun run: ${ratio.toFixed(1)}`);
  const rssKib = Number(
    await ssh(`awk '/VmRSS/ {print $2}' /proc/$(ps | awk '/[a]gent.cjs engine/ { print $1; exit }')/status`),
  );
  console.log(`agent RSS with one container: ${(rssKib / 1024).toFixed(0)} MiB`);
} finally {
  await harness.close();
}
