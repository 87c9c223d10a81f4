import t from 'tap';
import { activity, isConnected } from '../../../guest/agent/activity.ts';
import { noLog } from '../../../guest/log.ts';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3067 1
   1: 0F02000A:0948 0202000A:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 3400 1
`;

t.test('who is logged in is seen among the connections of the kernel', async (t) => {
  t.notOk(isConnected(table, 22), 'listening is not being connected');
  t.ok(isConnected(table.replace('0016 00000000:0000 0A', '0016 0202000A:D2F2 01'), 22));
  t.ok(isConnected(table, 2376));
  t.notOk(isConnected('', 22));
});

t.test('the answer is what the engine says', async (t) => {
  t.match(activity({ idleMs: () => 0 }, { type: 'activity' }, noLog), { type: 'activity', idleMs: 0 });
});
