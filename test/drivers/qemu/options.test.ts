import t from 'tap';
import { PreCreateError } from '../../../drivers/errors.ts';
import { qemuOptions, qemuSettings } from '../../../drivers/qemu/options.ts';

const host = { memoryMiB: 8192, cpus: 4 };
const defaults = Object.fromEntries(qemuOptions.map(({ flag, default: value }) => [flag, value!]));

t.test('the defaults make an ordinary machine', async (t) => {
  t.same(qemuSettings(defaults, host), { memoryMiB: 2048, cpus: 2, diskMiB: 20480, accelWanted: 'auto' });
  t.equal(qemuSettings(defaults, { ...host, cpus: 1 }).cpus, 2, 'on a small computer too');
});

t.test('what does not fit this computer is refused by flag, value and range', async (t) => {
  const table = [
    ['qemu-memory', '8193', /--qemu-memory is "8193"; give a whole number from 256 to 8192 MiB/],
    ['qemu-memory', '2g', /--qemu-memory is "2g"/],
    ['qemu-cpu-count', '5', /from 1 to 4/],
    ['qemu-cpu-count', '0', /from 1 to 4/],
    ['qemu-disk-size', '1', /from 512 to/],
    ['qemu-accel', 'xen', /one of auto, kvm, hvf, whpx, tcg/],
  ] as const;
  for (const [flag, value, message] of table) {
    t.throws(() => qemuSettings({ ...defaults, [flag]: value }, host), PreCreateError);
    t.throws(() => qemuSettings({ ...defaults, [flag]: value }, host), message);
  }
});
