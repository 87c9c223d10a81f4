import t from 'tap';
import { updatedHostConfig } from '../../../guest/containers/update.ts';
import { readHostSystem } from '../../../guest/host/system.ts';
import { hostConfig, updateBody } from '../../../guest/schema/container.ts';

const system = { ...readHostSystem(), cpuCount: 2, onlineCpus: '0-1', knowsIoWeight: () => true };
const update = (before: object, asked: object) =>
  updatedHostConfig(
    { id: 'c'.repeat(64), hostConfig: hostConfig.parse(before) },
    updateBody.parse(asked),
    system,
  );

t.test('what is given is changed, all else stays', async (t) => {
  const rates = [{ Path: '/dev/a', Rate: 5 }];
  const before = { CpuShares: 5, PidsLimit: 7, BlkioDeviceReadBps: rates, CpusetCpus: '0' };
  t.match(update(before, { CpuShares: 9 }), { ...before, CpuShares: 9 });
  t.match(update(before, { PidsLimit: null }), { PidsLimit: 7 });
  t.match(update(before, { PidsLimit: 0 }), { PidsLimit: 0 });
  t.match(update(before, { PidsLimit: -1 }), { PidsLimit: 0 });
  t.match(update(before, { CpusetCpus: '1' }), { CpusetCpus: '1', BlkioDeviceReadBps: rates });
  t.match(update({}, { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } }), {
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
  });
});

t.test('contradictions are refused', async (t) => {
  const table: readonly (readonly [object, object, RegExp])[] = [
    [{ NanoCpus: 1e9 }, { CpuQuota: 5000 }, /CPU Quota cannot be updated as NanoCPUs has/],
    [{ CpuPeriod: 5000 }, { NanoCpus: 1e9 }, /Nano CPUs cannot be updated as CPU Period has/],
    [{ Memory: 2 ** 24, MemorySwap: 2 ** 25 }, { Memory: 2 ** 26 }, /update the memoryswap at the same time/],
    [{ AutoRemove: true }, { RestartPolicy: { Name: 'always' } }, /AutoRemove is enabled/],
    [{}, { CgroupParent: '/x' }, /cannot be changed/],
    [{}, { Memory: 5 }, /6MB/],
    [{}, { CpusetCpus: '7' }, /not available/],
  ];
  for (const [before, asked, error] of table)
    t.throws(() => update(before, asked), error, JSON.stringify(asked));
});
