import { rm, stat, statfs } from 'node:fs/promises';
import { arch } from 'node:os';
import type { Duplex } from 'node:stream';
import type { AgentFailure, Hello } from '../../guest/wire/index.ts';
import type {
  AgentConnection,
  BootRequest,
  CreateRequest,
  Driver,
  DriverStatus,
  Endpoints,
  HostShare,
  MachineHandle,
  PrepareRequest,
  WaitOptions,
} from '../driver.ts';
import { FailedPrecondition, PreCreateError } from '../errors.ts';
import type { PortForwarder } from '../port-forwarder.ts';
import { whenGone } from '../process-identity.ts';
import type { Suspender } from '../suspender.ts';
import { chooseAcceleration } from './accelerator.ts';
import { guestApiPort, guestSshPort } from './args.ts';
import { checkVersion, emulatorName, findProgram } from './binary.ts';
import { rotateConsole, tailOf } from './console-log.ts';
import { diskBytes, makeDisk } from './disk.ts';
import { awaitHello } from './hello.ts';
import { hostForwards } from './host-forwards.ts';
import { connectChannel } from './line-channel.ts';
import { listenersOf } from './listeners.ts';
import { SharedMonitors } from './monitors.ts';
import { qemuOptions, qemuSettings } from './options.ts';
import { type QemuPaths, qemuPaths, removeSockets, socketDirectoryFor } from './paths.ts';
import { freePorts, isPortFree } from './ports.ts';
import { powerOn } from './power-on.ts';
import { findQemu, killQemu } from './process.ts';
import { QmpClient } from './qmp.ts';
import { SharedAgents } from './shared-agents.ts';
import { shutDown } from './shut-down.ts';
import { type QemuState, qemuState } from './state.ts';
import { qemuSuspender } from './suspender.ts';
import { checkShares } from './virtiofs/check-shares.ts';
import { findDaemon } from './virtiofs/find-daemon.ts';
import { endShareServers, hasLostShares } from './virtiofs/share-servers.ts';
import { mainLoopRests } from './wakeups.ts';

/** Room for the first images; the disk itself grows as it is used. */
const leastFreeBytes = 1024 ** 3;
const bytesPerMiB = 1024 ** 2;
/** An answer of QEMU's takes milliseconds; on a computer that swaps, seconds. */
const answerDeadlineMs = 5000;
/** A guest whose directories hang can end its containers, but not unmount: it is turned off after this. */
const lostDeadlineMs = 30_000;

/** Virtual machines on this computer. */
export class QemuDriver implements Driver<QemuState> {
  readonly name = 'qemu';
  readonly features = { power: true, bootsOsImage: true, hello: true, ssh: true, local: true };
  readonly options = qemuOptions;
  readonly #monitors = new SharedMonitors();
  readonly #agents = new SharedAgents();

  async preCreate({ options, directory }: CreateRequest): Promise<void> {
    qemuSettings(options);
    await checkVersion(await findProgram(emulatorName(arch() === 'arm64' ? 'arm64' : 'amd64')));
    await findProgram('qemu-img');
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize < leastFreeBytes)
      throw new PreCreateError(`less than 1 GiB is free where "${directory}" is; free some space`);
  }

  async create(request: CreateRequest, record: (state: QemuState) => Promise<void>): Promise<QemuState> {
    const { directory, signal } = request;
    const [apiPort, sshPort, ...channels] = await freePorts(process.platform === 'win32' ? 7 : 2);
    const [qmp, agent, power, watch, files] = channels;
    const state: QemuState = {
      version: 1,
      ...qemuSettings(request.options),
      acceleration: null,
      apiPort: apiPort!,
      sshPort: sshPort!,
      channelPorts: qmp && agent && power && watch && files ? { qmp, agent, power, watch, files } : null,
      socketDirectory: socketDirectoryFor(directory),
    };
    await record(state);
    signal?.throwIfAborted();
    const program = await findProgram('qemu-img');
    await makeDisk({ program, path: qemuPaths(directory).disk, bytes: state.diskMiB * bytesPerMiB, signal });
    await record(state);
    return state;
  }

  async prepare({ osImage, options }: PrepareRequest, wait: WaitOptions): Promise<void> {
    const settings = qemuSettings(options);
    const emulator = await findProgram(emulatorName(osImage.arch));
    const imageProgram = await findProgram('qemu-img');
    const { name } = await chooseAcceleration({ ...wait, wanted: settings.accelWanted, emulator, osImage });
    const config = {
      ...settings,
      osImage,
      accelerator: name,
      diskBytes: settings.diskMiB * bytesPerMiB,
      sharesMemory: false,
    };
    const { checkpointFor } = await import('./checkpoint.ts');
    await checkpointFor({ ...wait, config, emulator, imageProgram });
  }

  async start(
    machine: MachineHandle<QemuState>,
    boot: BootRequest,
    options: WaitOptions,
  ): Promise<QemuState> {
    const paths = qemuPaths(machine.directory);
    const before = qemuState(machine.state);
    if ((await findQemu(paths)) !== null) return before;
    const { osImage, shares = [] } = boot;
    if (osImage === null) throw new FailedPrecondition('the qemu driver needs an OS image');
    const emulator = await findProgram(emulatorName(osImage.arch));
    const daemon = shares.length === 0 ? null : await findDaemon();
    const acceleration = await chooseAcceleration({
      ...options,
      wanted: before.accelWanted,
      emulator,
      osImage,
    });
    const state = { ...before, ...(await keepOrReplacePorts(machine.name, before, options)), acceleration };
    // A machine that went off by itself has been seen by nobody.
    await endShareServers(paths);
    await rotateConsole(paths);
    const listeners = listenersOf(machine.directory, state);
    const config = {
      ...state,
      ...listeners,
      name: machine.name,
      osImage,
      accelerator: acceleration.name,
      disk: paths.disk,
      console: paths.console,
      ports: { api: state.apiPort, ssh: state.sshPort },
      diskBytes: await diskBytes(paths.disk),
      sharesMemory: shares.length > 0,
    };
    const socketDirectory = state.socketDirectory ?? machine.directory;
    const makesDirectory = state.socketDirectory !== null;
    const imageProgram = await findProgram('qemu-img');
    await powerOn(
      { config, boot, emulator, imageProgram, daemon, paths, socketDirectory, makesDirectory },
      options,
    );
    return state;
  }

  async stop(machine: MachineHandle<QemuState>, { signal }: WaitOptions): Promise<void> {
    const paths = qemuPaths(machine.directory);
    const qemu = await findQemu(paths);
    if (qemu !== null) {
      const lost = (await hasLostShares(paths)) ? AbortSignal.timeout(lostDeadlineMs) : null;
      const until = lost === null ? signal : AbortSignal.any([signal, lost]);
      await shutDown({ ...listenersOf(machine.directory, machine.state), qemu, signal: until }).catch(
        async (error: unknown) => {
          if (!lost?.aborted || signal.aborted) throw error;
          await killQemu(qemu);
        },
      );
    }
    await forgetProcesses(paths);
  }

  async kill(machine: MachineHandle<QemuState>): Promise<void> {
    const paths = qemuPaths(machine.directory);
    const qemu = await findQemu(paths);
    if (qemu !== null) await killQemu(qemu);
    await forgetProcesses(paths);
  }

  async remove(machine: MachineHandle<QemuState>): Promise<void> {
    await this.kill(machine);
    const { disk, console, previousConsole, log, shareLog, bootItems } = qemuPaths(machine.directory);
    await removeSockets(machine.directory);
    const elsewhere = socketDirectoryFor(machine.directory);
    for (const path of [elsewhere, machine.state?.socketDirectory, bootItems])
      if (path) await rm(path, { recursive: true, force: true });
    for (const path of [disk, console, previousConsole, log, shareLog]) await rm(path, { force: true });
  }

  async status(machine: MachineHandle<QemuState>): Promise<DriverStatus> {
    const paths = qemuPaths(machine.directory);
    const qemu = await findQemu(paths);
    if (qemu === null)
      return (await exists(paths.disk)) ? { status: 'stopped' } : brokenBy('its disk is missing');
    const { pid } = qemu;
    try {
      const { qmp } = listenersOf(machine.directory, qemuState(machine.state));
      const signal = AbortSignal.timeout(answerDeadlineMs);
      await using client = await QmpClient.connect(qmp, { signal, once: true });
      const { status } = (await client.execute('query-status')) as { status: string };
      if (status === 'paused' || status === 'suspended') return { status: 'paused', pid };
      if (status === 'io-error')
        return brokenBy('QEMU paused it because this computer could not write its disk; is there space?');
      if (status === 'internal-error') return brokenBy('QEMU stopped it after an internal error');
      if (await hasLostShares(paths))
        return brokenBy(
          `virtiofsd has ended, and programs that use directories of this computer hang; machine restart ${machine.name} brings both back`,
        );
      return { status: 'running', pid };
    } catch (error) {
      return (await findQemu(paths)) === null
        ? { status: 'stopped' }
        : brokenBy(`QEMU (process ${pid}) runs but does not answer: ${(error as Error).message}`);
    }
  }

  async endpoints(machine: MachineHandle<QemuState>): Promise<Endpoints> {
    const { apiPort, sshPort } = qemuState(machine.state);
    if ((await findQemu(qemuPaths(machine.directory))) === null)
      throw new FailedPrecondition(
        `machine "${machine.name}" is not running; machine start ${machine.name} starts it`,
      );
    const host = '127.0.0.1';
    return { url: `tcp://${host}:${apiPort}`, ip: host, ssh: { host, port: sshPort, user: 'root' } };
  }

  async awaitHello(
    machine: MachineHandle<QemuState>,
    { signal }: WaitOptions,
  ): Promise<Hello | AgentFailure> {
    const word = await awaitHello({ ...listenersOf(machine.directory, machine.state), signal });
    if (word.type === 'failure' && word.poweringOff) await whenOff(machine, signal);
    return word;
  }

  async whenOff(machine: MachineHandle<QemuState>, { signal }: WaitOptions): Promise<void> {
    const { watch } = listenersOf(machine.directory, qemuState(machine.state));
    try {
      await using monitor = await this.#monitors.lease(watch, signal);
      await monitor.whenClosed(signal);
    } catch (error) {
      signal.throwIfAborted();
      if ((await findQemu(qemuPaths(machine.directory))) !== null) throw error;
    }
  }

  async forward(machine: MachineHandle<QemuState>, { signal }: WaitOptions): Promise<PortForwarder> {
    const state = qemuState(machine.state);
    const monitor = await this.#monitors.lease(listenersOf(machine.directory, state).watch, signal);
    return hostForwards(monitor, [state.apiPort, state.sshPort]);
  }

  async connectAgent(machine: MachineHandle<QemuState>, { signal }: WaitOptions): Promise<AgentConnection> {
    return await this.#agents.lease(listenersOf(machine.directory, qemuState(machine.state)).agent, signal);
  }

  async suspender(machine: MachineHandle<QemuState>, { signal }: WaitOptions): Promise<Suspender> {
    const state = qemuState(machine.state);
    const monitor = await this.#monitors.lease(listenersOf(machine.directory, state).watch, signal);
    const own = new Map([
      [state.apiPort, guestApiPort],
      [state.sshPort, guestSshPort],
    ]);
    const qemu = await findQemu(qemuPaths(machine.directory));
    return qemuSuspender(monitor, own, async () => qemu === null || (await mainLoopRests(qemu.pid)));
  }

  async openStream(
    machine: MachineHandle<QemuState>,
    name: 'files',
    { signal }: WaitOptions,
  ): Promise<Duplex> {
    const listener = listenersOf(machine.directory, qemuState(machine.state))[name];
    return await connectChannel(listener, { signal, once: true });
  }

  async checkShares(shares: readonly HostShare[]): Promise<void> {
    await checkShares(shares);
  }

  async consoleTail(machine: MachineHandle<QemuState>, lines: number): Promise<string> {
    return tailOf(qemuPaths(machine.directory).console, lines);
  }
}

/** Ports stay what they were unless something else has taken one while the machine was off. */
async function keepOrReplacePorts(
  name: string,
  { apiPort, sshPort }: QemuState,
  { onNote }: WaitOptions,
): Promise<Pick<QemuState, 'apiPort' | 'sshPort'>> {
  const keep = async (port: number, what: string, advice = '') => {
    if (await isPortFree(port)) return port;
    const [other] = await freePorts(1);
    onNote?.(
      `WARNING: port ${port} is taken by another program; ${what} of "${name}" is at ${other} from now on${advice}`,
    );
    return other!;
  };
  const shells = `: in shells that use it, type eval "$(machine env ${name})" again`;
  return { apiPort: await keep(apiPort, 'the Docker API', shells), sshPort: await keep(sshPort, 'SSH') };
}

/** A guest that says it ends itself is gone before anybody is told: who starts it next must find its disk free. */
async function whenOff(machine: MachineHandle<QemuState>, signal: AbortSignal): Promise<void> {
  const qemu = await findQemu(qemuPaths(machine.directory));
  const deadline = AbortSignal.timeout(answerDeadlineMs);
  if (qemu !== null) await whenGone(qemu, AbortSignal.any([signal, deadline]));
}

/** Of a machine that is off. */
async function forgetProcesses(paths: QemuPaths): Promise<void> {
  await endShareServers(paths);
  await rm(paths.process, { force: true });
}

function brokenBy(error: string): DriverStatus {
  return { status: 'broken', errors: [error] };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
