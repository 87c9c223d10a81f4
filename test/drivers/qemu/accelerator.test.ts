import t from 'tap';
import { chooseAcceleration, type Host } from '../../../drivers/qemu/accelerator.ts';
import type { Accelerator } from '../../../drivers/qemu/accelerators.ts';

const osImage = {
  arch: 'amd64',
  kernel: '/i/vmlinuz',
  unpackedKernel: null,
  initramfs: '/i/initramfs',
  root: '/i/root.erofs',
  agent: '/i/agent.erofs',
  commandLine: '',
} as const;

function options(wanted: Accelerator | 'auto' = 'auto') {
  return { wanted, emulator: '/usr/bin/qemu', osImage, signal: new AbortController().signal };
}

function host(given: Partial<Host>): Host & { readonly probed: Accelerator[] } {
  const probed: Accelerator[] = [];
  return {
    probed,
    platform: 'linux',
    arch: 'x64',
    kvmProblem: async () => null,
    ...given,
    probe: async (asked, accelerator) => {
      probed.push(accelerator);
      return given.probe ? given.probe(asked, accelerator) : { works: true, detail: 'in 300 ms' };
    },
  };
}

t.test('each system has one accelerator, used when a probe booted with it', async (t) => {
  for (const [platform, name] of [
    ['linux', 'kvm'],
    ['darwin', 'hvf'],
    ['win32', 'whpx'],
  ] as const) {
    const chosen = await chooseAcceleration(options(), host({ platform }));
    t.same(chosen, { name, reason: 'a probe booted our kernel with it in 300 ms' });
  }
});

t.test('a device that is there and boots nothing is not used, and the reason is kept', async (t) => {
  const broken = host({ probe: async () => ({ works: false, detail: 'no sign of life in 10 s' }) });
  t.match(await chooseAcceleration(options(), broken), {
    name: 'tcg',
    reason: /kvm: no sign of life in 10 s/,
  });
  t.same(broken.probed, ['kvm']);
});

t.test('nothing is probed where there is nothing to probe', async (t) => {
  const table = [
    [host({ kvmProblem: async () => 'there is no /dev/kvm' }), /no \/dev\/kvm/],
    [host({ arch: 'arm64' }), /this computer is arm64, the OS image is amd64/],
    [host({ platform: 'freebsd' }), /nothing faster is known on freebsd/],
  ] as const;
  for (const [computer, reason] of table) {
    t.match(await chooseAcceleration(options(), computer), { name: 'tcg', reason });
    t.same(computer.probed, []);
  }
});

t.test('what the user asked for is used without a probe', async (t) => {
  const computer = host({ kvmProblem: async () => 'there is no /dev/kvm' });
  t.match(await chooseAcceleration(options('kvm'), computer), { name: 'kvm', reason: /--qemu-accel/ });
  t.same(computer.probed, []);
});
