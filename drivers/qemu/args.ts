import { agentPort, filesPort } from '../../guest/wire/index.ts';
import type { OsImageFiles } from '../driver.ts';
import type { Accelerator } from './accelerators.ts';

export const guestApiPort = 2376;
export const guestSshPort = 22;
/** The PCI port that shares are plugged into (virtiofs/hot-plug.ts). */
export const sharesPort = 'shares';
/** QEMU's own name for it on `q35`; migration-stream.ts goes by it. */
export const mainMemory = 'pc.ram';

/** Where QEMU listens for one of its channels. */
export type Listener = { readonly path: string } | { readonly port: number };

export interface QemuConfig {
  readonly name: string;
  readonly osImage: OsImageFiles;
  readonly accelerator: Accelerator;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly disk: string;
  readonly console: string;
  /** fw_cfg item name to the file that holds it. */
  readonly bootItems: Readonly<Record<string, string>>;
  /** Of this computer's loopback; null: nothing is forwarded. */
  readonly ports: { readonly api: number; readonly ssh: number } | null;
  readonly qmp: Listener;
  readonly agent: Listener;
  readonly power: Listener;
  /** A second QMP monitor: each serves one client, and the supervisor keeps its own. */
  readonly watch: Listener;
  /** The guest's end of it is for directories of the host: SFTP. */
  readonly files: Listener;
  /** Directories of this computer will be plugged in: their servers need the guest's memory, and the guest a place. */
  readonly sharesMemory: boolean;
  /** A kernel from its beginning; the same up to where a checkpoint is taken; or from there (checkpoint.ts). */
  readonly boot: 'kernel' | 'checkpoint' | { readonly resume: string };
}

/**
 * The command line of one VM; pure. Devices come in the order in which the guest counts them: disks are
 * root, agent, data (guest/boot), and the console for power is the first virtio one. A VM ends instead of
 * resetting until it has said hello, so that a failed boot is an event and not a loop.
 */
export function qemuArgs(config: QemuConfig): string[] {
  const { osImage } = config;
  return [
    ['-name', `machine-${value(config.name)}`],
    ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...machineArgs(
      osImage.arch,
      config.accelerator,
      config.sharesMemory ? `,memory-backend=${mainMemory}` : '',
    ),
    ['-smp', String(config.cpus)],
    ['-m', `${config.memoryMiB}M`],
    ...(config.sharesMemory ? sharesArgs(config.memoryMiB) : []),
    ...kernelArgs(
      config,
      `${osImage.commandLine}${config.boot === 'checkpoint' ? ' machine.checkpoint' : ''}`,
    ),
    ...diskArgs('root', osImage.root, 'raw', 'read-only=on'),
    ...diskArgs('agent', osImage.agent, 'raw', 'read-only=on'),
    // Writeback passes the guest's flushes on, so what it was told is on disk survives a power cut.
    ...diskArgs('data', config.disk, 'qcow2', 'cache=writeback,discard=unmap,detect-zeroes=unmap'),
    [
      '-netdev',
      `user,id=net,net=10.0.2.0/24,host=10.0.2.2,dns=10.0.2.3${config.ports ? `,${forward(config.ports.api, guestApiPort)},${forward(config.ports.ssh, guestSshPort)}` : ''}`,
    ],
    // No option ROM: nothing boots from the network.
    ['-device', 'virtio-net-pci,netdev=net,romfile='],
    ['-device', 'virtio-serial-pci'],
    ['-chardev', `socket,id=power,server=on,wait=off,${address(config.power)}`],
    ['-device', 'virtconsole,chardev=power'],
    ['-chardev', `socket,id=agent,server=on,wait=off,${address(config.agent)}`],
    ['-device', `virtserialport,chardev=agent,name=${agentPort}`],
    ['-chardev', `socket,id=files,server=on,wait=off,${address(config.files)}`],
    ['-device', `virtserialport,chardev=files,name=${filesPort}`],
    ['-object', 'rng-builtin,id=rng'],
    ['-device', 'virtio-rng-pci,rng=rng'],
    ['-device', 'virtio-balloon-pci,free-page-reporting=on'],
    // Appending, so that the file can be cut short while QEMU has it open.
    ['-chardev', `file,id=console,append=on,path=${value(config.console)}`],
    ['-serial', 'chardev:console'],
    ['-chardev', `socket,id=qmp,server=on,wait=off,${address(config.qmp)}`],
    ['-mon', 'chardev=qmp,mode=control'],
    ['-chardev', `socket,id=watch,server=on,wait=off,${address(config.watch)}`],
    ['-mon', 'chardev=watch,mode=control'],
    ['-rtc', 'base=utc,clock=host'],
    // Tells a resumed kernel that it is another one now, so that it draws other random numbers.
    ...(osImage.arch === 'amd64' ? [['-device', 'vmgenid,guid=auto']] : []),
    ...Object.entries(config.bootItems).map(([name, file]) => [
      '-fw_cfg',
      `name=${name},file=${value(file)}`,
    ]),
    ...(typeof config.boot === 'object'
      ? [['-incoming', `exec:exec cat ${quoted(config.boot.resume)}`]]
      : []),
  ].flat();
}

/** A VM with nothing but a kernel that says on its serial console that it reached userland, and ends. */
export function probeArgs(osImage: OsImageFiles, accelerator: Accelerator): string[] {
  return [
    ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...machineArgs(osImage.arch, accelerator),
    ['-smp', '2'],
    ['-m', '512M'],
    ...kernelArgs({ osImage, accelerator }, `${osImage.commandLine} machine.probe`),
    ['-serial', 'stdio'],
  ].flat();
}

function sharesArgs(memoryMiB: number): string[][] {
  return [
    ['-object', `memory-backend-memfd,id=${mainMemory},size=${memoryMiB}M,share=on`],
    ['-device', `pcie-root-port,id=${sharesPort},chassis=1`],
  ];
}

function machineArgs(arch: OsImageFiles['arch'], accelerator: Accelerator, options = ''): string[][] {
  const machine = {
    // Without the devices that a server's kernel would only look for and never use.
    amd64: 'q35,usb=off,smbus=off,sata=off,vmport=off',
    arm64: 'virt,gic-version=max',
  }[arch];
  const accel = {
    kvm: 'kvm',
    hvf: 'hvf',
    // Windows' interrupt controller does not do what Linux asks of it.
    whpx: 'whpx,kernel-irqchip=off',
    // One thread: with several, a processor may run code that another has just patched. Linux patches its
    // own all the time, and dies of "int3" then; seen in one boot of ten with QEMU 7.2 on a busy computer.
    tcg: 'tcg,thread=single,tb-size=512',
  }[accelerator];
  const cpu = accelerator === 'kvm' || accelerator === 'hvf' ? 'host' : 'max';
  return [
    ['-machine', `${machine}${options}`],
    ['-accel', accel],
    ['-cpu', cpu],
  ];
}

function kernelArgs(
  {
    osImage: { arch, kernel, unpackedKernel, initramfs },
    accelerator,
  }: Pick<QemuConfig, 'osImage' | 'accelerator'>,
  commandLine: string,
): string[][] {
  const console = { amd64: 'ttyS0', arm64: 'ttyAMA0' }[arch];
  const words = [`console=${console}`, commandLine, everywhere, accelerator === 'tcg' ? emulated : ''];
  return [
    // Unpacking takes an emulated processor a second. It is also where a kernel is put at a random address,
    // so others go that way.
    ['-kernel', (accelerator === 'tcg' && unpackedKernel) || kernel],
    ['-initrd', initramfs],
    ['-append', words.filter((word) => word !== '').join(' ')],
  ];
}

/** Work at boot that nothing here depends on: self-tests of ciphers, security modules without a policy (docs/boot.md). */
const everywhere = 'cryptomgr.notests audit=0 lsm=landlock,yama';

/**
 * An emulated processor does not speculate, and its timers are late when the computer is busy: checking
 * them against each other then ends in a panic or in a slower clock. Jitter that makes no entropy is not
 * measured, and other processors are left to the agent (guest/agent/processors.ts): while it starts they
 * would only be waited for.
 */
const emulated = 'mitigations=off no_timer_check tsc=reliable initcall_blacklist=jent_mod_init maxcpus=1';

function diskArgs(id: string, path: string, format: string, options: string): string[][] {
  return [
    ['-drive', `if=none,id=${id},file=${value(path)},format=${format},${options}`],
    ['-device', `virtio-blk-pci,drive=${id}`],
  ];
}

function forward(hostPort: number, guestPort: number): string {
  return `hostfwd=tcp:127.0.0.1:${hostPort}-:${guestPort}`;
}

function address(listener: Listener): string {
  return 'path' in listener
    ? `path=${value(listener.path)}`
    : `host=127.0.0.1,port=${listener.port},nodelay=on`;
}

/** One word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** QEMU's option syntax: a comma within a value is written twice. */
function value(text: string): string {
  return text.replaceAll(',', ',,');
}
