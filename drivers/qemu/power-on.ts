import { rm } from 'node:fs/promises';
import type { BootRequest, WaitOptions } from '../driver.ts';
import type { ProcessIdentity } from '../process-identity.ts';
import { makeSocketDirectory } from '../socket-path.ts';
import { type QemuConfig, qemuArgs } from './args.ts';
import { bootItems, writeBootItems } from './boot-items.ts';
import type { CheckpointConfig } from './checkpoint.ts';
import { type QemuPaths, removeSockets } from './paths.ts';
import { abortError, killQemu, spawnQemu } from './process.ts';
import { startShareServers } from './virtiofs/share-servers.ts';

export interface PowerOnRequest {
  readonly config: Omit<QemuConfig, 'boot' | 'bootItems'> & CheckpointConfig;
  readonly boot: BootRequest;
  readonly emulator: string;
  readonly imageProgram: string;
  /** virtiofsd, where directories are shared by it. */
  readonly daemon: string | null;
  readonly paths: QemuPaths;
  /** Of the VM's sockets. */
  readonly socketDirectory: string;
  /** It is made, and not the machine's own. */
  readonly makesDirectory: boolean;
}

/**
 * Starts QEMU for a machine that is off: from a checkpoint where there is one that can be resumed, else by booting.
 * Its directories are plugged in when it runs. On failure no process is left.
 */
export async function powerOn(request: PowerOnRequest, options: WaitOptions): Promise<void> {
  const { config, boot, emulator, imageProgram } = request;
  // Only who starts machines needs it; `machine env`, timed in milliseconds, does not.
  const { checkpointFor, resumeCheckpoint } = await import('./checkpoint.ts');
  const checkpoint = boot.afresh ? null : await checkpointFor({ ...options, config, emulator, imageProgram });
  if (checkpoint !== null) {
    const qemu = await spawn(request, { resume: checkpoint }, options);
    const failed = await resumeCheckpoint({ ...config, signal: options.signal }).then(
      () => null,
      (error: Error) => error,
    );
    if (failed === null) return await share(request, qemu, options);
    await killQemu(qemu);
    if (options.signal.aborted) throw abortError(options.signal, 'resuming the machine');
    await rm(checkpoint, { force: true });
    options.onProgress?.(`the checkpoint could not be resumed (${failed.message}); booting`);
  }
  await share(request, await spawn(request, 'kernel', options), options);
}

async function spawn(
  { config, boot: { bootConfig }, emulator, paths, socketDirectory, makesDirectory }: PowerOnRequest,
  boot: QemuConfig['boot'],
  { signal }: WaitOptions,
): Promise<ProcessIdentity> {
  if (makesDirectory) await makeSocketDirectory(socketDirectory);
  // A QEMU that was killed leaves its sockets.
  await removeSockets(socketDirectory);
  await using items = await writeBootItems(paths, bootItems(bootConfig));
  const args = qemuArgs({ ...config, bootItems: items.files, boot });
  return await spawnQemu({ program: emulator, args, paths, qmp: config.qmp, signal });
}

async function share(
  { boot: { shares = [] }, config, daemon, paths, socketDirectory }: PowerOnRequest,
  qemu: ProcessIdentity,
  { signal }: WaitOptions,
): Promise<void> {
  if (daemon === null) return;
  try {
    await startShareServers({ shares, program: daemon, paths, socketDirectory, qmp: config.qmp, signal });
  } catch (error) {
    await killQemu(qemu);
    throw error;
  }
}
