import t from 'tap';
import { createBody } from '../../../guest/api/schema/container.ts';
import { refuseUnsupported } from '../../../guest/containers/unsupported.ts';
import { httpStatus } from '../../../guest/errors.ts';

const refused: readonly (readonly [body: Record<string, unknown>, status: number, name: RegExp])[] = [
  ...(
    [
      [{ VolumesFrom: ['a'] }, '--volumes-from'],
      [{ CgroupParent: '/x' }, '--cgroup-parent'],
      [{ UsernsMode: 'private' }, '--userns'],
      [{ StorageOpt: { size: '1g' } }, '--storage-opt'],
      [{ DeviceRequests: [{}] }, '--gpus'],
      [{ VolumeDriver: 'nfs' }, '--volume-driver'],
      [{ Isolation: 'hyperv' }, '--isolation'],
      [{ CpuRealtimePeriod: 1 }, '--cpu-rt-period'],
      [{ CpuRealtimeRuntime: 1 }, '--cpu-rt-runtime'],
      [{ BlkioWeightDevice: [{}] }, '--blkio-weight-device'],
      [{ BlkioDeviceReadBps: [{}] }, '--device-read-bps'],
      [{ BlkioDeviceWriteBps: [{}] }, '--device-write-bps'],
      [{ BlkioDeviceReadIOps: [{}] }, '--device-read-iops'],
      [{ BlkioDeviceWriteIOps: [{}] }, '--device-write-iops'],
      [{ MemorySwappiness: 10 }, '--memory-swappiness'],
      [{ OomKillDisable: true }, '--oom-kill-disable'],
      [{ MaskedPaths: [] }, 'MaskedPaths'],
      [{ ReadonlyPaths: [] }, 'ReadonlyPaths'],
    ] as const
  ).map(([HostConfig, name]) => [{ HostConfig }, 501, new RegExp(`: ${name}$`)] as const),
  [{ HostConfig: { Runtime: 'runsc' } }, 400, /runtime name: runsc/],
  [{ HostConfig: { IpcMode: 'x' } }, 400, /invalid ipc mode: x/],
  [{ HostConfig: { PidMode: 'x' } }, 400, /invalid PID mode: x/],
  [{ HostConfig: { UTSMode: 'x' } }, 400, /invalid UTS mode: x/],
  [{ HostConfig: { CgroupnsMode: 'x' } }, 400, /invalid cgroup namespace mode: x/],
  [{ Hostname: 'a', HostConfig: { UTSMode: 'host' } }, 400, /hostname and the UTS mode/],
];

t.test('every option that cannot be honoured is refused by its name', async (t) => {
  for (const [asked, status, text] of refused) {
    const { HostConfig, ...config } = createBody.parse({ Image: 'a', ...asked });
    try {
      refuseUnsupported(config, HostConfig);
      t.fail(`accepted: ${JSON.stringify(asked)}`);
    } catch (error) {
      t.match({ text: String(error), status: httpStatus(error) }, { text, status });
    }
  }
});

t.test('what the docker CLI sends when nothing was asked for is accepted', async (t) => {
  const nothing = { Links: null, MemorySwappiness: -1, OomKillDisable: null, DeviceRequests: null };
  const { HostConfig, ...config } = createBody.parse({ Image: 'a', HostConfig: nothing });
  t.doesNotThrow(() => refuseUnsupported(config, HostConfig));
});
