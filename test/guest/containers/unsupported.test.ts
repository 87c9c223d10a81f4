import t from 'tap';
import { refuseUnsupported } from '../../../guest/containers/unsupported.ts';
import { httpStatus } from '../../../guest/errors.ts';
import { hostConfig } from '../../../guest/schema/container.ts';

const refused: readonly (readonly [asked: Record<string, unknown>, status: number, text: RegExp])[] = [
  [{ StorageOpt: { size: '1g' } }, 501, /: --storage-opt$/],
  [{ Cgroup: 'x' }, 501, /: Cgroup$/],
  [{ KernelMemoryTCP: 1 }, 501, /: KernelMemoryTCP$/],
  [{ Runtime: 'runsc' }, 400, /runtime name: runsc/],
  [{ Isolation: 'hyperv' }, 400, /Invalid isolation: "hyperv"/],
  [{ CpuRealtimePeriod: 1 }, 400, /kernel does not support CPU real-time scheduler/],
  [{ CpuRealtimeRuntime: 1 }, 400, /kernel does not support CPU real-time scheduler/],
  [{ IOMaximumIOps: 1 }, 400, /QoS/],
  [{ IOMaximumBandwidth: 1 }, 400, /QoS/],
  [{ CpuCount: 1 }, 400, /use --cpus/],
  [{ CpuPercent: 1 }, 400, /use --cpus/],
  [{ DeviceRequests: [{ Capabilities: [['gpu']] }] }, 400, /device driver "" with capabilities: \[\[gpu\]\]/],
  [{ DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['a.com/b=c'] }] }, 400, /CDI .* a\.com\/b=c/],
];

t.test('every option that cannot be honoured is refused by its name', async (t) => {
  for (const [asked, status, text] of refused) {
    try {
      refuseUnsupported(hostConfig.parse(asked));
      t.fail(`accepted: ${JSON.stringify(asked)}`);
    } catch (error) {
      t.match({ text: String(error), status: httpStatus(error) }, { text, status });
    }
  }
});

t.test('what the docker CLI sends when nothing was asked for is accepted', async (t) => {
  const nothing = { Links: null, MemorySwappiness: -1, OomKillDisable: null, DeviceRequests: null };
  t.doesNotThrow(() => refuseUnsupported(hostConfig.parse(nothing)));
});
