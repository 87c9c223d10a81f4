import t from 'tap';
import { probeArgs, type QemuConfig, qemuArgs } from '../../../drivers/qemu/args.ts';

const osImage = {
  arch: 'amd64',
  kernel: '/i/vmlinuz',
  unpackedKernel: null,
  initramfs: '/i/initramfs',
  root: '/i/root.erofs',
  agent: '/i/agent.erofs',
  commandLine: 'quiet panic=-1',
} as const;

const config: QemuConfig = {
  name: 'dev',
  osImage,
  accelerator: 'tcg',
  memoryMiB: 2048,
  cpus: 2,
  disk: '/m/disk.qcow2',
  console: '/m/console.log',
  bootItems: { 'opt/machine/boot': '/m/boot/boot' },
  ports: { api: 20001, ssh: 20002 },
  qmp: { path: '/m/qmp.sock' },
  agent: { path: '/m/agent.sock' },
  power: { path: '/m/power.sock' },
  watch: { path: '/m/watch.sock' },
  files: { path: '/m/files.sock' },
  sharesMemory: false,
  boot: 'kernel',
};

/** Values of an option, in order. */
function values(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, index) => (arg === option ? [args[index + 1]!] : []));
}

t.test('the command line of an ordinary machine', async (t) => {
  const args = qemuArgs(config);
  for (const flag of ['-nodefaults', '-no-user-config', '-no-reboot']) t.ok(args.includes(flag), flag);
  t.same(values(args, '-m'), ['2048M']);
  t.same(values(args, '-smp'), ['2']);
  t.match(values(args, '-append'), [/^console=ttyS0 quiet panic=-1 .*no_timer_check/]);
  t.same(values(args, '-kernel'), ['/i/vmlinuz']);
  t.same(values(args, '-initrd'), ['/i/initramfs']);
  t.same(values(args, '-fw_cfg'), ['name=opt/machine/boot,file=/m/boot/boot']);
});

t.test('disks come as the guest counts them, and only the last can be written', async (t) => {
  const drives = values(qemuArgs(config), '-drive');
  t.same(
    drives.map((drive) => /id=(\w+)/.exec(drive)?.[1]),
    ['root', 'agent', 'data'],
  );
  t.same(
    drives.map((drive) => drive.includes('read-only=on')),
    [true, true, false],
  );
  t.match(drives[2], /format=qcow2,cache=writeback,discard=unmap,detect-zeroes=unmap/);
});

t.test('nothing listens beyond this computer', async (t) => {
  const args = qemuArgs({
    ...config,
    qmp: { port: 1 },
    agent: { port: 2 },
    power: { port: 3 },
    watch: { port: 4 },
    files: { port: 5 },
  });
  const forwards = args.join(' ').match(/hostfwd=[^, ]*/g);
  t.same(forwards, ['hostfwd=tcp:127.0.0.1:20001-:2376', 'hostfwd=tcp:127.0.0.1:20002-:22']);
  const sockets = values(args, '-chardev').filter((chardev) => chardev.startsWith('socket'));
  t.equal(sockets.length, 5);
  for (const socket of sockets) t.match(socket, /server=on,wait=off,host=127\.0\.0\.1,port=[12345]/);
});

t.test('the console for power comes before the port of the agent, which has its name', async (t) => {
  const devices = values(qemuArgs(config), '-device');
  const power = devices.indexOf('virtconsole,chardev=power');
  const agent = devices.indexOf('virtserialport,chardev=agent,name=machine.agent.0');
  t.ok(power > 0 && agent > power);
});

t.test('a comma in a path is no end of a value', async (t) => {
  const args = qemuArgs({ ...config, disk: '/a,b/disk.qcow2', qmp: { path: '/a,b/qmp.sock' } });
  t.ok(args.some((arg) => arg.includes('file=/a,,b/disk.qcow2,format=')));
  t.ok(args.some((arg) => arg.endsWith('path=/a,,b/qmp.sock')));
});

t.test('architecture and accelerator choose board, processor and console', async (t) => {
  const table = [
    ['amd64', 'kvm', /^q35,/, 'host', 'kvm', 'ttyS0'],
    ['amd64', 'whpx', /^q35,/, 'max', 'whpx,kernel-irqchip=off', 'ttyS0'],
    ['amd64', 'tcg', /^q35,/, 'max', /^tcg,thread=single/, 'ttyS0'],
    ['arm64', 'hvf', /^virt,/, 'host', 'hvf', 'ttyAMA0'],
    ['arm64', 'tcg', /^virt,/, 'max', /^tcg,thread=single/, 'ttyAMA0'],
  ] as const;
  for (const [arch, accelerator, board, cpu, accel, console] of table) {
    const args = qemuArgs({ ...config, accelerator, osImage: { ...osImage, arch } });
    t.match(values(args, '-machine'), [board], `${arch} ${accelerator}`);
    t.match(values(args, '-cpu'), [cpu]);
    t.match(values(args, '-accel'), [accel]);
    t.match(values(args, '-append'), [new RegExp(`^console=${console} `)]);
  }
});

t.test('a machine that gets shares has memory that others can map, and a port for them', (t) => {
  const args = qemuArgs({ ...config, sharesMemory: true });
  t.match(values(args, '-machine'), [/^q35,.*,memory-backend=pc\.ram$/]);
  t.same(values(args, '-object').slice(0, 1), ['memory-backend-memfd,id=pc.ram,size=2048M,share=on']);
  t.ok(values(args, '-device').includes('pcie-root-port,id=shares,chassis=1'));
  t.notMatch(qemuArgs(config).join(' '), /memory-backend|pcie-root-port/);
  t.end();
});

t.test('only an emulated processor starts the unpacked kernel', (t) => {
  const osImage = { ...config.osImage, unpackedKernel: '/i/vmlinux' };
  for (const [accelerator, kernel] of [
    ['tcg', '/i/vmlinux'],
    ['kvm', '/i/vmlinuz'],
  ] as const)
    t.same(values(qemuArgs({ ...config, osImage, accelerator }), '-kernel'), [kernel]);
  t.end();
});

t.test('a probe has a kernel and a serial console, and no disk, network or socket', async (t) => {
  const args = probeArgs(osImage, 'kvm');
  t.match(values(args, '-append'), [/^console=ttyS0 quiet panic=-1 machine\.probe /]);
  t.notMatch(values(args, '-append'), [/mitigations/], 'real processors keep their mitigations');
  t.same(values(args, '-serial'), ['stdio']);
  for (const option of ['-drive', '-netdev', '-chardev', '-fw_cfg']) t.same(values(args, option), [], option);
});
