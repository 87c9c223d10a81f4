import type { TerminalSize } from '../runtime.ts';
import type { ProcessSpec, RuntimeSpec } from '../runtime-spec.ts';
import { type DeviceNode, type DeviceRule, defaultDeviceRules, everyDevice } from './devices.ts';
import { containerMounts, type MountWish } from './mounts.ts';
import { defaultPath, maskedPaths, readonlyPaths } from './paths.ts';
import { ociResources, type ResourceLimits } from './resources.ts';
import { defaultSeccomp } from './seccomp.ts';
import { ociSeccomp, type SeccompProfile } from './seccomp-profile.ts';
import { isSharedTmpfs } from './tmpfs-options.ts';
import type { Ulimit } from './ulimits.ts';
import type { ResolvedUser } from './users.ts';

/** A namespace of the container's own, the engine's, or another's (by its file in /proc). */
export type NamespaceChoice = 'own' | 'host' | { readonly path: string };

export interface ProcessWish {
  readonly args: readonly string[];
  /** `NAME=value`; a bare `NAME` takes away what was there before. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: ResolvedUser;
  readonly hostname: string;
  readonly terminal: boolean;
  readonly size?: TerminalSize;
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly ulimits: readonly Ulimit[];
  readonly oomScoreAdj: number;
}

export interface ContainerWish extends ProcessWish {
  readonly domainname: string;
  readonly privileged: boolean;
  readonly readonlyRootfs: boolean;
  readonly seccomp: 'default' | 'unconfined' | SeccompProfile;
  readonly writableCgroups: boolean;
  /** Null = Docker's own lists; for a privileged container, none. */
  readonly maskedPaths: readonly string[] | null;
  readonly readonlyPaths: readonly string[] | null;
  /** As `uname -m` says it, and `uname -r`. */
  readonly machine: string;
  readonly kernelRelease: string;
  readonly mounts: Omit<MountWish, 'privileged' | 'writableCgroups'>;
  readonly namespaces: Readonly<Record<'network' | 'pid' | 'ipc' | 'uts' | 'cgroup', NamespaceChoice>>;
  readonly limits: ResourceLimits;
  readonly devices: { readonly nodes: readonly DeviceNode[]; readonly rules: readonly DeviceRule[] };
  readonly sysctls: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly cgroupsPath: string;
}

/** What the OCI runtime is told to make of a container: a pure function of what was asked for. */
export function containerSpec(wish: ContainerWish): RuntimeSpec {
  const { privileged, namespaces } = wish;
  const seccomp = seccompOf(wish);
  const rules = privileged ? everyDevice : [...defaultDeviceRules, ...wish.devices.rules];
  return {
    ociVersion: '1.0.2',
    process: processSpec(wish),
    root: { path: 'rootfs', readonly: wish.readonlyRootfs },
    ...(namespaces.uts === 'own' ? { hostname: wish.hostname } : {}),
    ...(namespaces.uts === 'own' && wish.domainname ? { domainname: wish.domainname } : {}),
    mounts: containerMounts({ ...wish.mounts, privileged, writableCgroups: wish.writableCgroups }),
    ...(Object.keys(wish.annotations).length > 0 ? { annotations: wish.annotations } : {}),
    linux: {
      namespaces: [
        { type: 'mount' },
        ...(['network', 'pid', 'ipc', 'uts', 'cgroup'] as const).flatMap((type) => {
          const choice = namespaces[type];
          if (choice === 'host') return [];
          return [choice === 'own' ? { type } : { type, path: choice.path }];
        }),
      ],
      cgroupsPath: wish.cgroupsPath,
      resources: ociResources(wish.limits, rules),
      ...(wish.devices.nodes.length > 0 ? { devices: wish.devices.nodes.map((node) => ({ ...node })) } : {}),
      ...(seccomp ? { seccomp } : {}),
      ...(Object.keys(wish.sysctls).length > 0 ? { sysctl: wish.sysctls } : {}),
      // Without it the runtime makes every mount private first, and a slave of that hears of nothing.
      ...rootfsPropagation(wish.mounts),
      maskedPaths: wish.maskedPaths ?? (privileged ? [] : maskedPaths),
      readonlyPaths: wish.readonlyPaths ?? (privileged ? [] : readonlyPaths),
    },
  };
}

function rootfsPropagation({
  binds,
  tmpfs,
}: Pick<MountWish, 'binds' | 'tmpfs'>): Pick<RuntimeSpec['linux'], 'rootfsPropagation'> {
  const some = (kind: RegExp) => binds.some(({ propagation }) => kind.test(propagation));
  if (some(/shared/)) return { rootfsPropagation: 'shared' };
  if (some(/slave/)) return { rootfsPropagation: 'rslave' };
  // Only the root: in the end it would take from a tmpfs what that shares.
  return Object.values(tmpfs).some(isSharedTmpfs) ? { rootfsPropagation: 'slave' } : {};
}

function seccompOf({
  seccomp,
  privileged,
  ...around
}: ContainerWish): Readonly<Record<string, unknown>> | null {
  if (typeof seccomp === 'object') return ociSeccomp(seccomp, around);
  if (seccomp === 'unconfined' || privileged) return null;
  return defaultSeccomp(around.capabilities, around.machine);
}

/** The process part, which `exec` needs alone. */
export function processSpec(wish: ProcessWish): ProcessSpec {
  const { capabilities } = wish;
  // As dockerd: only root keeps what is permitted; a user gets it back by running a set-user-id program.
  const held = wish.user.uid === 0 ? capabilities : [];
  return {
    terminal: wish.terminal,
    ...(wish.size ? { consoleSize: { height: wish.size.rows, width: wish.size.columns } } : {}),
    user: { uid: wish.user.uid, gid: wish.user.gid, additionalGids: wish.user.additionalGids },
    args: wish.args,
    env: environment(wish),
    cwd: wish.cwd || '/',
    capabilities: { bounding: capabilities, effective: held, permitted: held, inheritable: [], ambient: [] },
    ...(wish.ulimits.length > 0
      ? {
          rlimits: wish.ulimits.map(({ name, soft, hard }) => ({
            type: `RLIMIT_${name.toUpperCase()}`,
            soft,
            hard,
          })),
        }
      : {}),
    noNewPrivileges: wish.noNewPrivileges,
    ...(wish.oomScoreAdj !== 0 ? { oomScoreAdj: wish.oomScoreAdj } : {}),
  };
}

/** Docker's own variables first, replaced by the image's and the user's where they say otherwise. */
function environment({ env, hostname, terminal, user }: ProcessWish): string[] {
  const values = new Map<string, string>();
  const own = [defaultPath, `HOSTNAME=${hostname}`, ...(terminal ? ['TERM=xterm'] : []), `HOME=${user.home}`];
  for (const entry of [...own, ...env]) {
    const at = entry.indexOf('=');
    if (at > 0) values.set(entry.slice(0, at), entry.slice(at + 1));
    else values.delete(entry);
  }
  // Empty is as good as none to the runtimes that others use.
  if (values.get('HOME') === '') values.set('HOME', user.home);
  return [...values].map(([name, value]) => `${name}=${value}`);
}
