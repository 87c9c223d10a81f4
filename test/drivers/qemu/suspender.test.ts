import t from 'tap';
import { SharedMonitors } from '../../../drivers/qemu/monitors.ts';
import { qemuSuspender } from '../../../drivers/qemu/suspender.ts';
import { FakeQmp } from './fake-qmp.ts';

/** As QEMU 7.2 says it. */
const network = (ports: readonly number[]) =>
  [
    'Hub -1 (net):',
    '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
    ...ports.map(
      (port) => `  TCP[HOST_FORWARD]  12       127.0.0.1 ${port}       10.0.2.15  2376     0     0`,
    ),
  ].join('\r\n');

t.test('own ports are let go and taken back', async (t) => {
  const held = new Set([50001, 50002, 8080]);
  await using qmp = await FakeQmp.open({
    answer({ execute, arguments: args, id }, send) {
      const line = String(args?.['command-line'] ?? '');
      const port = Number(/tcp:127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
      let said = '';
      if (line === 'info usernet') said = network([...held]);
      else if (line.startsWith('hostfwd_remove')) {
        held.delete(port);
        said = `host forwarding rule for tcp:127.0.0.1:${port} removed\r\n`;
      } else if (line.startsWith('hostfwd_add')) held.add(port);
      send({ return: execute === 'human-monitor-command' ? said : {}, id });
    },
  });
  const { signal } = new AbortController();
  const monitor = await new SharedMonitors().lease({ path: qmp.path }, signal);
  const own = new Map([
    [50001, 2376],
    [50002, 22],
  ]);
  const rests = [false, true];
  await using suspender = qemuSuspender(monitor, own, async () => rests.shift() ?? false);
  t.strictSame(suspender.ports, [50001, 50002]);
  const said = () =>
    qmp.commands.splice(0).map(({ execute, arguments: args }) => String(args?.['command-line'] ?? execute));
  said();

  await suspender.takeBack();
  t.strictSame(said(), ['info usernet'], 'what is there is not made again');
  await suspender.letGo();
  t.strictSame([...held], [8080], 'published ports stay');
  said();
  await suspender.pause();
  await suspender.resume();
  await suspender.takeBack();
  t.strictSame(said(), [
    'stop',
    'cont',
    'stop',
    'cont',
    'hostfwd_add net tcp:127.0.0.1:50001-:2376',
    'hostfwd_add net tcp:127.0.0.1:50002-:22',
  ]);

  await suspender.pause();
  t.equal(said().at(-1), 'stop', 'a QEMU that never rests is stopped all the same');
});
