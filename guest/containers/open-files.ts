import { closeSync, constants, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { InvalidParameter } from '../errors.ts';
import { ConfinedRoot, type OpenDirectory } from '../layers/confined-root.ts';
import { byteString } from '../layers/tar-entry.ts';
import { type MountedRootfs, mountRootfs } from '../runtime/mounted-rootfs.ts';
import { RunDirectory } from '../runtime/run-directory.ts';
import type { Container } from './container.ts';
import type { RecordedMount } from './container-record.ts';
import { networkFiles } from './container-wish.ts';
import type { Dependencies } from './dependencies.ts';
import { prepareMounts, releaseMounts } from './prepare-mounts.ts';
import { sourceOf } from './subpaths.ts';

/** A container's files, whether it runs or not. */
export interface OpenFiles extends AsyncDisposable {
  readonly root: ConfinedRoot;
}

export interface OpenFilesOptions {
  /** With volumes and binds, as the container sees them; without, the container's own file system alone. */
  readonly mounts: boolean;
  readonly signal: AbortSignal;
}

/**
 * Opens the files of a container. One that runs is looked at from beside it. One that does not is mounted,
 * and cannot be started or removed until the files are closed, as with dockerd.
 */
export async function openFiles(
  container: Container,
  deps: Dependencies,
  { mounts, signal }: OpenFilesOptions,
): Promise<OpenFiles> {
  const hold = await container.hold();
  try {
    for (let task = container.task; task; task = container.task) {
      const root = openRunning(container.id, deps, mounts ? task.pid : null);
      // Asked after opening: what was opened is then not of a process that has got the pid since.
      if (root && task.kill(0)) {
        hold[Symbol.dispose]();
        return { root, [Symbol.asyncDispose]: async () => root[Symbol.dispose]() };
      }
      root?.[Symbol.dispose]();
      await container.wait('next-exit', signal);
    }
    return await openStopped(container, deps, { mounts, hold });
  } catch (error) {
    hold[Symbol.dispose]();
    throw error;
  }
}

/** Null when the container ends under our hands. */
function openRunning(id: string, deps: Dependencies, pid: number | null): ConfinedRoot | null {
  const run = new RunDirectory(deps.paths.run(id));
  // The monitor sees the container's file system with nothing mounted in it.
  const directory =
    pid === null ? `/proc/${run.monitor?.pid}/root${run.file('rootfs')}` : `/proc/${pid}/root`;
  try {
    return new ConfinedRoot(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function openStopped(
  container: Container,
  deps: Dependencies,
  { mounts, hold }: { readonly mounts: boolean; readonly hold: Disposable },
): Promise<OpenFiles> {
  const { id, record } = container;
  let mounted: MountedRootfs | undefined;
  const close = async (root?: ConfinedRoot) => {
    root?.[Symbol.dispose]();
    await mounted?.[Symbol.asyncDispose]();
    if (mounts) await releaseMounts(record, deps);
    hold[Symbol.dispose]();
  };
  let root: ConfinedRoot | undefined;
  try {
    // Before: what is mounted later is not seen in the helper's namespace.
    if (mounts) await prepareMounts(record, deps);
    mounted = await mountRootfs(deps.snapshotter.mount(id), join(deps.paths.run(id), 'files'));
    root = new ConfinedRoot(mounted.path);
    if (mounts) {
      for (const file of networkFiles(record, deps)) {
        if (existsSync(file.source)) await bindFile(file, root, mounted);
      }
      const shown = record.mounts.filter(({ type }) => type !== 'tmpfs');
      const depth = ({ destination }: RecordedMount) => destination.split('/').length;
      for (const mount of shown.sort((a, b) => depth(a) - depth(b)))
        await bind({ ...mount, source: sourceOf(id, mount, deps.paths) }, root, mounted);
      using top = root.open('/');
      if (record.hostConfig.ReadonlyRootfs) await mounted.makeReadonly(top.processPath);
    }
    const opened = root;
    return { root: opened, [Symbol.asyncDispose]: () => close(opened) };
  } catch (error) {
    await close(root);
    throw error;
  }
}

async function bind(mount: RecordedMount, root: ConfinedRoot, mounted: MountedRootfs): Promise<void> {
  const { source, destination, recursive } = mount;
  const path = byteString(destination);
  if (statSync(source).isDirectory()) {
    using place = root.open(path, makeDirectory);
    await mounted.bind(source, place.processPath, { recursive });
    using shown = root.open(path);
    if (mount.readonly) await mounted.makeReadonly(shown.processPath);
    return;
  }
  await bindFile(mount, root, mounted);
}

async function bindFile(
  { source, destination, readonly }: { source: string; destination: string; readonly: boolean },
  root: ConfinedRoot,
  mounted: MountedRootfs,
): Promise<void> {
  const path = byteString(destination);
  using parent = root.open(posix.dirname(path), makeDirectory);
  const name = posix.basename(path);
  const before = parent.stat(name);
  if (!before) closeSync(openSync(parent.at(name), constants.O_CREAT | constants.O_EXCL, 0o644));
  else if (!before.isFile())
    throw new InvalidParameter(`cannot mount a file over ${destination}: not a file`);
  const place = `${parent.processPath}/${destination.slice(destination.lastIndexOf('/') + 1)}`;
  await mounted.bind(source, place, { recursive: false });
  if (readonly) await mounted.makeReadonly(place);
}

function makeDirectory(parent: OpenDirectory, name: string): void {
  mkdirSync(parent.at(name), { mode: 0o755 });
}
