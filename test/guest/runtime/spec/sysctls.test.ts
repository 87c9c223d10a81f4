import t from 'tap';
import { checkSysctls, defaultSysctls } from '../../../../guest/runtime/spec/sysctls.ts';
import { checkUlimits } from '../../../../guest/runtime/spec/ulimits.ts';

const own = { network: false, ipc: false, uts: false };

t.test("a sysctl may change the container's own namespaces alone", async (t) => {
  const check =
    (name: string, shared: Partial<typeof own> = {}) =>
    () =>
      checkSysctls({ [name]: '1' }, { ...own, ...shared });
  for (const name of [
    'net.core.somaxconn',
    'kernel.shmmax',
    'kernel.sem',
    'fs.mqueue.msg_max',
    'net/ipv4/ip_forward',
  ])
    t.doesNotThrow(check(name), name);
  for (const name of ['kernel.panic', 'vm.swappiness', 'fs.file-max', 'kernel.shmmaxx', 'nett.x'])
    t.throws(check(name), /not in a separate kernel namespace/, name);
  t.throws(check('net.core.somaxconn', { network: true }), /not allowed in host network namespace/);
  t.throws(check('kernel.shmmax', { ipc: true }), /not allowed in host IPC namespace/);
  t.throws(check('kernel.domainname'), /use those/);
  t.throws(check('kernel.hostname', { uts: true }), /not allowed in host UTS namespace/);
});

t.test('defaults are given where the kernel has them', async (t) => {
  t.same(
    defaultSysctls(() => true),
    {
      'net.ipv4.ping_group_range': '0 2147483647',
      'net.ipv4.ip_unprivileged_port_start': '0',
    },
  );
  t.same(
    defaultSysctls(() => false),
    {},
  );
});

t.test('ulimits are known by name, and the soft one is not above the hard one', async (t) => {
  const check = (name: string, soft: number, hard: number) => () => checkUlimits([{ name, soft, hard }]);
  t.doesNotThrow(check('nofile', 5, 5));
  t.doesNotThrow(check('core', -1, -1));
  t.doesNotThrow(check('core', 1000, -1));
  t.throws(check('files', 1, 1), /invalid ulimit type: files/);
  t.throws(check('nofile', 6, 5), /soft limit must be less than or equal to hard limit: 6 > 5/);
  t.throws(check('nofile', -1, 5), /less than or equal/);
});
