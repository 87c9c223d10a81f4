import { existsSync } from 'node:fs';
import t from 'tap';
import { Terminal } from '../helpers/terminal.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? (existsSync('/usr/bin/script') ? false : 'no util-linux script');
const echoing = ['sh', '-c', 'stty -echo; echo ready; while read -r line; do echo "got $line"; done'];

t.test('a client detaches by its keys, and comes back; two share one terminal', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const create = ['create', '-it', '--network', 'none', '--name', 'one', 'busybox', ...echoing];
  await engine.output(create);
  const first = new Terminal('docker start -ai --detach-keys=x,y one', engine.env);
  await first.shows('ready');
  first.type('xy');
  t.equal(await first.exitCode, 0);
  t.equal(await engine.output(['inspect', '--format', '{{.State.Status}}', 'one']), 'running\n');

  const second = new Terminal('docker attach --detach-keys=x,y one', engine.env);
  second.type('back\r');
  await second.shows('got back');
  const third = new Terminal('docker attach one', engine.env);
  third.type('both\r');
  await Promise.all([second.shows('got both'), third.shows('got both')]);
  second.type('xy');
  t.equal(await second.exitCode, 1);
  t.match(second.shown, /read escape sequence/);
  third.type('\x04');
  t.equal(await third.exitCode, 0, 'the end of the process ends the client that is left');
});

t.test('exec with a terminal has its size, its keys and its exit code', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output(['run', '-d', '--network', 'none', '--name', 'one', 'busybox', 'sleep', '1000']);
  const command = `stty rows 33 cols 99; docker exec -it one sh -c 'tty; stty size; read -r line; exit 6'`;
  const terminal = new Terminal(command, engine.env);
  await terminal.shows('33 99');
  t.match(terminal.shown, /\/dev\/pts\/\d/);
  terminal.type('\r');
  t.equal(await terminal.exitCode, 6);
  const interrupted = new Terminal("docker exec -it one sh -c 'echo on; sleep 1000'", engine.env);
  await interrupted.shows('on');
  interrupted.type('\x03');
  t.equal(await interrupted.exitCode, 130, 'Ctrl-C reaches the process');
});

t.test('what a program writes last to a terminal is not lost', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output(['run', '-d', '--network', 'none', '--name', 'one', 'busybox', 'sleep', '1000']);
  // More than the terminal's own buffer holds, and the end right behind it.
  const program = "sh -c 'seq 3000; echo the end; exit 6'";
  for (const command of ['run --rm -t --network none busybox', 'exec -t one'])
    for (let round = 1; round <= 8; round++) {
      const terminal = new Terminal(`docker ${command} ${program}`, engine.env);
      t.equal(await terminal.exitCode, 6);
      t.match(terminal.shown, /\n2999\r?\r\n3000\r?\r\nthe end/, `${command}, round ${round}`);
    }
  const missing = new Terminal('docker exec -t one nosuch', engine.env);
  t.equal(await missing.exitCode, 126, 'the end does not wait for a program that never began');
});
