import t from 'tap';
import { type ContainerWish, containerSpec } from '../../../../guest/runtime/spec/container-spec.ts';
import { defaultDeviceRules, deviceNodes, parseDeviceRule } from '../../../../guest/runtime/spec/devices.ts';
import { containerMounts } from '../../../../guest/runtime/spec/mounts.ts';
import { checkLimits, ociResources } from '../../../../guest/runtime/spec/resources.ts';

const wish: ContainerWish = {
  args: ['true'],
  env: ['A=1', 'PATH=/mine', 'BARE'],
  cwd: '',
  user: { uid: 0, gid: 0, additionalGids: [0], home: '/root' },
  hostname: 'abc',
  terminal: false,
  capabilities: ['CAP_KILL'],
  noNewPrivileges: false,
  ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
  oomScoreAdj: 0,
  domainname: '',
  privileged: false,
  readonlyRootfs: false,
  seccomp: 'default',
  writableCgroups: false,
  maskedPaths: null,
  readonlyPaths: null,
  machine: 'x86_64',
  kernelRelease: '6.12.0',
  mounts: {
    shmBytes: 4096,
    sharedMemory: { kind: 'own' },
    init: null,
    files: [],
    binds: [],
    tmpfs: {},
  },
  namespaces: { network: 'own', pid: 'own', ipc: 'own', uts: 'own', cgroup: 'own' },
  limits: {},
  devices: { nodes: [], rules: [] },
  sysctls: {},
  annotations: {},
  cgroupsPath: '/a',
};

t.test('a plain container is confined', async (t) => {
  const { process, linux, hostname } = containerSpec(wish);
  t.match(process, { cwd: '/', env: ['PATH=/mine', 'HOSTNAME=abc', 'HOME=/root', 'A=1'] });
  t.same(process.rlimits, [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 }]);
  t.match(linux, { seccomp: { defaultAction: 'SCMP_ACT_ERRNO' }, maskedPaths: /./, readonlyPaths: /./ });
  t.equal(linux.namespaces.length, 6);
  t.equal(hostname, 'abc');
});

t.test('a user holds nothing until a set-user-id program gives it', async (t) => {
  const { capabilities } = containerSpec({ ...wish, user: { ...wish.user, uid: 1000 } }).process;
  t.match(capabilities, { bounding: ['CAP_KILL'], effective: [], permitted: [], ambient: [] });
});

t.test('privileged lifts masks, seccomp and device rules', async (t) => {
  const { linux } = containerSpec({ ...wish, privileged: true });
  t.notOk(linux.seccomp);
  t.same([linux.maskedPaths, linux.readonlyPaths], [[], []]);
  t.same(linux.resources?.devices, [{ allow: true, access: 'rwm' }]);
});

t.test("namespaces of the host are left out, another's are joined by path", async (t) => {
  const namespaces = { ...wish.namespaces, uts: 'host', pid: { path: '/proc/7/ns/pid' } } as const;
  const { linux, hostname } = containerSpec({ ...wish, namespaces });
  t.notOk(linux.namespaces.some(({ type }) => type === 'uts'));
  t.match(linux.namespaces, [{}, {}, { type: 'pid', path: '/proc/7/ns/pid' }]);
  t.equal(hostname, undefined);
});

t.test(
  "parents are mounted before what is below them, and a user's mount replaces a system one",
  async (t) => {
    const how = { readonly: true, propagation: 'rprivate', recursive: true, writableBelow: false };
    const binds = [
      { source: '/s', destination: '/a/b/c', ...how },
      { source: '/s', destination: '/a', ...how, recursive: false },
      { source: '/s', destination: '/dev/shm', ...how },
    ];
    const mounts = containerMounts({
      ...wish.mounts,
      privileged: false,
      writableCgroups: false,
      binds,
      tmpfs: { '/a/b': 'exec' },
    });
    const own = mounts.slice(-4);
    t.same(
      own.map(({ destination }) => destination),
      ['/a', '/dev/shm', '/a/b', '/a/b/c'],
    );
    t.same(own[0]?.options, ['bind', 'ro', 'rprivate']);
    t.equal(own[2]?.options?.at(-1), 'exec', "the user's word counts, being last");
    t.equal(mounts.filter(({ destination }) => destination === '/dev/shm').length, 1);
  },
);

t.test('shared memory is the own, another, or none; the init is shown read-only', async (t) => {
  const at = (place: string, mounts: Partial<ContainerWish['mounts']>) =>
    containerSpec({ ...wish, mounts: { ...wish.mounts, ...mounts } }).mounts.find(
      ({ destination }) => destination === place,
    );
  t.match(at('/dev/shm', {}), { type: 'tmpfs', options: /size=4096/ });
  t.equal(at('/dev/shm', { sharedMemory: { kind: 'none' } }), undefined);
  t.match(at('/dev/shm', { sharedMemory: { kind: 'bind', source: '/x' } }), { type: 'bind', source: '/x' });
  t.match(at('/sbin/docker-init', { init: '/i' }), { source: '/i', options: ['bind', 'ro'] });
});

t.test('limits become OCI resources', async (t) => {
  t.same(ociResources({}, []), { devices: [] });
  t.match(ociResources({ memoryBytes: 2 ** 24, nanoCpus: 5e8, pidsLimit: 9 }, []), {
    memory: { limit: 2 ** 24, swap: 2 ** 25 },
    cpu: { period: 100_000, quota: 50_000 },
    pids: { limit: 9 },
  });
  const host = {
    cpuCount: 2,
    onlineCpus: '0-1',
    onlineMems: '0',
    knowsIoWeight: () => false,
  } as const;
  t.throws(() => checkLimits({ memoryBytes: 1 }, host), /6MB/);
  t.throws(() => checkLimits({ nanoCpus: 3e9 }, host), /only 2 CPUs/);
  t.throws(() => checkLimits({ memorySwapBytes: 1 }, host), /set the Memory limit/);
  t.throws(() => checkLimits({ memoryBytes: 2 ** 24, memorySwapBytes: 2 ** 23 }, host), /larger than memory/);
  t.throws(() => checkLimits({ nanoCpus: 1, cpuQuotaUs: 1 }, host), /Nano CPUs and CPU Quota/);
  t.throws(() => checkLimits({ nanoCpus: 1, cpuPeriodUs: 1 }, host), /Nano CPUs and CPU Period/);
  t.throws(() => checkLimits({ cpuPeriodUs: 999 }, host), /less than 1ms/);
  t.throws(() => checkLimits({ cpuQuotaUs: 999 }, host), /less than 1ms/);
  t.throws(() => checkLimits({ blockIo: { weight: 5 } }, host), /from 10 to 1000/);
  t.throws(() => checkLimits({ blockIo: { weight: 500 } }, host), /does not support Block I\/O weight/);
  t.throws(() => checkLimits({ cpuShares: -1 }, host), /positive integer/);
  t.throws(() => checkLimits({ memoryReservationBytes: 1 }, host), /reservation allowed is 6MB/);
  t.throws(() => checkLimits({ swappiness: 101 }, host), /range is 0-100/);
  t.throws(
    () => checkLimits({ cpusetCpus: '0,2' }, host),
    /CPUs are not available - requested 0,2, available: 0-1/,
  );
  t.throws(() => checkLimits({ cpusetCpus: 'one' }, host), /Invalid value one for cpuset cpus/);
  t.throws(() => checkLimits({ cpusetMems: '1' }, host), /memory nodes are not available/);
  t.doesNotThrow(() => checkLimits({ cpusetCpus: '0-1', cpusetMems: '0' }, host));
});

t.test('devices are found by their numbers; rules are parsed', async (t) => {
  t.equal(defaultDeviceRules[0]?.allow, false, 'none may be used but what follows');
  const { nodes, rules } = deviceNodes([
    { pathOnHost: '/dev/null', pathInContainer: '/dev/x', permissions: 'r' },
  ]);
  t.match(nodes, [{ path: '/dev/x', type: 'c', major: 1, minor: 3 }]);
  t.same(rules, [{ allow: true, type: 'c', major: 1, minor: 3, access: 'r' }]);
  t.same(parseDeviceRule('b 8:* rw'), { allow: true, type: 'b', major: 8, access: 'rw' });
  for (const bad of ['', 'c 1:3', 'x 1:3 r', 'c 1:3 rwmr', 'c -1:3 r'])
    t.throws(() => parseDeviceRule(bad), /invalid device cgroup rule/);
  const no = (pathOnHost: string) => () =>
    deviceNodes([{ pathOnHost, pathInContainer: '/x', permissions: 'r' }]);
  t.throws(no('/dev/nothing-here'), /no such file/);
  t.throws(no('/etc/passwd'), /not a device node/);
});
