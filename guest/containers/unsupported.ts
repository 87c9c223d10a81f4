import type { ContainerConfig, HostConfig } from '../api/schema/container.ts';
import { InvalidParameter, NotImplemented } from '../errors.ts';

/**
 * Nothing that a client asks for is ignored in silence: what this engine cannot honour is refused by name.
 * Throws NotImplemented or InvalidParameter.
 */
export function refuseUnsupported(config: ContainerConfig, host: HostConfig): void {
  const asked: readonly (readonly [string, boolean])[] = [
    ['--volumes-from', some(host.VolumesFrom)],
    ['--cgroup-parent', host.CgroupParent !== ''],
    ['--userns', host.UsernsMode !== '' && host.UsernsMode !== 'host'],
    ['--storage-opt', Object.keys(host.StorageOpt).length > 0],
    ['--gpus', some(host.DeviceRequests)],
    ['--volume-driver', host.VolumeDriver !== '' && host.VolumeDriver !== 'local'],
    ['--isolation', !['', 'default'].includes(host.Isolation)],
    ['--cpu-rt-period', host.CpuRealtimePeriod !== 0],
    ['--cpu-rt-runtime', host.CpuRealtimeRuntime !== 0],
    ['--blkio-weight-device', some(host.BlkioWeightDevice)],
    ['--device-read-bps', some(host.BlkioDeviceReadBps)],
    ['--device-write-bps', some(host.BlkioDeviceWriteBps)],
    ['--device-read-iops', some(host.BlkioDeviceReadIOps)],
    ['--device-write-iops', some(host.BlkioDeviceWriteIOps)],
    ['--memory-swappiness', host.MemorySwappiness != null && host.MemorySwappiness !== -1],
    ['--oom-kill-disable', host.OomKillDisable === true],
    ['MaskedPaths', host.MaskedPaths !== null],
    ['ReadonlyPaths', host.ReadonlyPaths !== null],
  ];
  const refused = asked.filter(([, wanted]) => wanted).map(([name]) => name);
  if (refused.length > 0) throw new NotImplemented(`not supported by this engine: ${refused.join(', ')}`);
  if (host.Init === true) {
    throw new NotImplemented(
      'not supported by this engine: --init; use an image with an init of its own, such as tini, as its entrypoint',
    );
  }
  if (host.Runtime !== '' && host.Runtime !== 'crun')
    throw new InvalidParameter(`unknown or invalid runtime name: ${host.Runtime}`);
  checkMode('ipc', host.IpcMode, /^(|none|private|shareable|host|container:.+)$/);
  checkMode('PID', host.PidMode, /^(|host|container:.+)$/);
  checkMode('UTS', host.UTSMode, /^(|host)$/);
  checkMode('cgroup namespace', host.CgroupnsMode, /^(|host|private)$/);
  if (host.UTSMode === 'host' && config.Hostname !== '')
    throw new InvalidParameter('conflicting options: hostname and the UTS mode');
}

function some(list: readonly unknown[] | null | undefined): boolean {
  return (list ?? []).length > 0;
}

function checkMode(name: string, mode: string, pattern: RegExp): void {
  if (!pattern.test(mode)) throw new InvalidParameter(`invalid ${name} mode: ${mode}`);
}
