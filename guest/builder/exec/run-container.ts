import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Dependencies, Neighbours } from '../../containers/dependencies.ts';
import { joinedContainer } from '../../containers/namespaces.ts';
import type { RunningTask } from '../../runtime/runtime.ts';
import { boundingSet, containerCapabilities } from '../../runtime/spec/capabilities.ts';
import { containerSpec } from '../../runtime/spec/container-spec.ts';
import { hostDevices } from '../../runtime/spec/devices.ts';
import { type BindMount, defaultShmBytes } from '../../runtime/spec/mounts.ts';
import type { ResourceLimits } from '../../runtime/spec/resources.ts';
import { readRootfsFile } from '../../runtime/spec/rootfs-file.ts';
import { defaultSysctls } from '../../runtime/spec/sysctls.ts';
import type { Ulimit } from '../../runtime/spec/ulimits.ts';
import { resolveUser } from '../../runtime/spec/users.ts';

export type RunParts = Pick<
  Dependencies,
  'paths' | 'runtime' | 'snapshotter' | 'networks' | 'cgroups' | 'host'
> & {
  /** Whose network a step may share. */
  readonly neighbours: Pick<Neighbours, 'runningPid'>;
};

export interface RunWish {
  /** Of the snapshot, the run and the sandbox; no container has it. */
  readonly id: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly hostname: string;
  /** `none`, `host`, or what `docker run --network` takes. */
  readonly network: string;
  readonly insecure: boolean;
  /** Of control groups; empty = the engine's. */
  readonly cgroupParent: string;
  readonly extraHosts: readonly string[];
  readonly shmBytes: number | undefined;
  readonly ulimits: readonly Ulimit[];
  readonly limits: ResourceLimits;
  readonly binds: readonly BindMount[];
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** See StartRequest. */
  readonly doubtful: boolean;
  readonly onOutput: (stream: 1 | 2, data: Buffer) => void;
}

const killed = 9;

/** Disposing of it waits until nothing is left of it but the snapshot, which can be read before. */
export interface FinishedRun extends AsyncDisposable {
  readonly exitCode: number;
}

/**
 * Runs a program on a snapshot to its end, as a container that nobody sees. Throws RuntimeError when it cannot be started,
 * and the signal's reason when aborted; then nothing is left but the snapshot.
 */
export async function runContainer(wish: RunWish, parts: RunParts): Promise<FinishedRun> {
  const { id, signal } = wish;
  const directory = join(parts.paths.buildRuns, id);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const cgroup = parts.cgroups.assign(id, wish.cgroupParent);
  let task: RunningTask | null = null;
  const clear = async () => {
    using _ = cgroup;
    await task?.release();
    await parts.runtime.remove(id);
    await parts.networks.releaseSandbox(id);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const namespace = await connect(wish, parts, directory);
    signal.throwIfAborted();
    task = await parts.runtime.start({
      id,
      spec: specOf(wish, parts, { directory, namespace }),
      rootfs: parts.snapshotter.mount(id),
      openStdin: false,
      doubtful: wish.doubtful,
    });
    const running = task;
    const kill = () => void running.kill(killed);
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    const output = Promise.all([
      drain(running, 'stdout', (data) => wish.onOutput(1, data)),
      drain(running, 'stderr', (data) => wish.onOutput(2, data)),
    ]);
    const { exitCode } = await running.exited;
    await output;
    signal.removeEventListener('abort', kill);
    signal.throwIfAborted();
    const cleared = clear();
    cleared.catch(() => {});
    return { exitCode, [Symbol.asyncDispose]: () => cleared };
  } catch (error) {
    await clear();
    throw error;
  }
}

async function drain(task: RunningTask, name: 'stdout' | 'stderr', take: (data: Buffer) => void) {
  let position = 0;
  for await (const chunk of (task[name] ?? Readable.from([])) as AsyncIterable<Buffer>) {
    take(chunk);
    position += chunk.length;
    task.acknowledge(name, position);
  }
}

async function connect(wish: RunWish, { networks, neighbours, paths }: RunParts, directory: string) {
  const other = joinedContainer(wish.network);
  const joined = other === null ? null : neighbours.runningPid(other);
  const mode = joined ? `container:${joined.id}` : wish.network || 'default';
  const request = {
    containerId: wish.id,
    containerName: wish.id.slice(0, 12),
    hostname: wish.hostname,
    mode,
    ...(joined && {
      joined: { containerId: joined.id, pid: joined.pid, directory: paths.container(joined.id) },
    }),
    endpoints: {},
    portBindings: {},
    exposedPorts: [],
    publishAllPorts: false,
    dns: { servers: [], search: [], options: [] },
    extraHosts: wish.extraHosts,
    linkedHosts: [],
    directory,
  };
  networks.checkRequest(request);
  const { namespace } = await networks.connectSandbox(request);
  return namespace;
}

type Namespace = Awaited<ReturnType<typeof connect>>;

function specOf(
  wish: RunWish,
  { host, cgroups, snapshotter }: RunParts,
  { directory, namespace }: { readonly directory: string; readonly namespace: Namespace },
) {
  const { insecure } = wish;
  const rootfs = snapshotter.mount(wish.id);
  writeFileSync(join(directory, 'hostname'), `${wish.hostname}\n`);
  const user = resolveUser(wish.user, {
    passwd: readRootfsFile(rootfs, 'etc/passwd'),
    group: readRootfsFile(rootfs, 'etc/group'),
  });
  return containerSpec({
    args: wish.args,
    env: wish.env,
    cwd: wish.cwd,
    user,
    hostname: wish.hostname,
    domainname: '',
    terminal: false,
    capabilities: containerCapabilities({ add: [], drop: [], privileged: insecure }, boundingSet()),
    noNewPrivileges: false,
    ulimits: wish.ulimits,
    oomScoreAdj: 0,
    privileged: insecure,
    readonlyRootfs: false,
    seccomp: 'default',
    writableCgroups: false,
    maskedPaths: null,
    readonlyPaths: null,
    machine: host.machine,
    kernelRelease: host.kernelRelease,
    mounts: {
      shmBytes: wish.shmBytes || defaultShmBytes,
      sharedMemory: { kind: 'own' },
      files: ['hosts', 'resolv.conf', 'hostname'].map((name) => ({
        source: join(directory, name),
        destination: `/etc/${name}`,
        readonly: false,
      })),
      init: null,
      binds: wish.binds,
      tmpfs: wish.tmpfs,
    },
    namespaces: {
      network:
        namespace.kind === 'path' ? { path: namespace.path } : namespace.kind === 'host' ? 'host' : 'own',
      pid: 'own',
      ipc: 'own',
      uts: 'own',
      cgroup: host.cgroupVersion === '1' ? 'host' : 'own',
    },
    limits: wish.limits,
    devices: { nodes: insecure ? hostDevices() : [], rules: [] },
    sysctls: namespace.kind === 'host' ? {} : defaultSysctls(),
    annotations: {},
    cgroupsPath: cgroups.path(wish.id),
  });
}
