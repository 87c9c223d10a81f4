import { copyFile, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { AlreadyExists, NotFound } from '../drivers/errors.ts';
import type { ProcessIdentity } from '../drivers/process-identity.ts';
import { writeFileAtomic } from '../drivers/write-file-atomic.ts';
import { acquireLock, type Lock, type LockOptions, lockHolder } from './lock.ts';
import { isMachineName } from './machine-name.ts';
import { type MachineRecord, parseRecord, recordText } from './machine-record.ts';
import { naturalOrder } from './natural-order.ts';
import type { MachinePaths, StorePaths } from './paths.ts';

/** The records of all machines. Its directory is the database; nothing is cached between calls. */
export class MachineStore {
  readonly paths: StorePaths;

  constructor(paths: StorePaths) {
    this.paths = paths;
  }

  machine(name: string): MachinePaths {
    return this.paths.machine(name);
  }

  /** Every machine with a record, readable or not, in natural order (`m2` before `m10`). */
  async names(): Promise<string[]> {
    const entries = await readdir(this.paths.machines).catch(missingAs([]));
    const names = entries.filter(isMachineName);
    const kept = await Promise.all(names.map((name) => this.has(name)));
    return names.filter((_, i) => kept[i]).sort(naturalOrder);
  }

  async has(name: string): Promise<boolean> {
    return (await stat(this.machine(name).config).catch(missingAs(null))) !== null;
  }

  /** Throws NotFound, or FailedPrecondition when the record cannot be used. Migrates an older record on disk. */
  async load(name: string): Promise<MachineRecord> {
    const { config, configBackup } = this.machine(name);
    const text = isMachineName(name) ? await readFile(config, 'utf8').catch(missingAs(null)) : null;
    if (text === null) throw new NotFound(`machine "${name}" does not exist; machine ls lists them`);
    const { record, migrated } = parseRecord(text);
    if (migrated) {
      await copyFile(config, configBackup);
      await this.save(record);
    }
    return record;
  }

  /** Throws AlreadyExists when something is there. */
  async makeDirectory(name: string): Promise<void> {
    await mkdir(this.paths.machines, { recursive: true, mode: 0o700 });
    await mkdir(this.machine(name).directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? new AlreadyExists(`machine "${name}" already exists`) : error;
    });
  }

  async save(record: MachineRecord): Promise<void> {
    await writeFileAtomic(this.machine(record.Name).config, recordText(record));
  }

  /**
   * Forgets a machine and deletes its directory. The record goes last: as long as there is anything, `ls`
   * shows it. Idempotent.
   */
  async forget(name: string): Promise<void> {
    const { directory } = this.machine(name);
    const files = await readdir(directory).catch(missingAs([]));
    const last = ['config.json'];
    for (const file of [...files.filter((f) => !last.includes(f)), ...last])
      await rm(`${directory}/${file}`, { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
  }

  /** One changes a machine at a time. */
  lock(name: string, options: LockOptions = {}): Promise<Lock> {
    return acquireLock(this.paths.locks, machineResource(name), options);
  }

  lockHolder(name: string): Promise<ProcessIdentity | null> {
    return lockHolder(this.paths.locks, machineResource(name));
  }
}

/** Names are compared as a file system that ignores case would. */
function machineResource(name: string): string {
  return `machine-${name.toLowerCase()}`;
}

function missingAs<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value;
    throw error;
  };
}
