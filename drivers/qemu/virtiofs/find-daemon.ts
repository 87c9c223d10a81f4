import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { FailedPrecondition } from '../../errors.ts';

/**
 * Options that came with virtiofsd 1.13. Without the first nobody but root could make files for containers whose
 * programs are not root; without the second the guest alone would keep what is read-only.
 */
const needed = ['--translate-uid', '--readonly'];
const helpDeadlineMs = 5000;

export interface DaemonPlaces {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where packages say what they bring, the most important first (docs/interop/vhost-user.json of QEMU). */
  readonly descriptions?: readonly string[];
  /** Where packages put programs that users do not type. */
  readonly libraries?: readonly string[];
}

/** Full path of a virtiofsd that can do what is asked of it. Throws FailedPrecondition saying what to type. */
export async function findDaemon({
  env = process.env,
  descriptions = ['/etc/qemu/vhost-user', '/usr/share/qemu/vhost-user'],
  libraries = ['/usr/libexec', '/usr/lib', '/usr/lib/qemu'],
}: DaemonPlaces = {}): Promise<string> {
  const path = (env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const candidates = [
    ...path.map((directory) => join(directory, 'virtiofsd')),
    ...(await described(descriptions)),
    ...libraries.map((directory) => join(directory, 'virtiofsd')),
  ];
  const old: string[] = [];
  for (const candidate of new Set(candidates)) {
    const help = await helpOf(candidate);
    if (help === null) continue;
    if (needed.every((option) => help.includes(option))) return candidate;
    old.push(candidate);
  }
  const found =
    old.length === 0 ? 'this computer has no virtiofsd' : `${old.join(', ')} is older than virtiofsd 1.13`;
  throw new FailedPrecondition(
    `${found}, which --mount-type virtiofs needs; install the package virtiofsd of your system, or say --mount-type sftp`,
  );
}

/** Programs of all descriptions of file servers. One takes the place of those of its name that come later. */
async function described(directories: readonly string[]): Promise<string[]> {
  const files = new Map<string, string>();
  for (const directory of directories)
    for (const name of await readdir(directory).catch(() => []))
      if (name.endsWith('.json') && !files.has(name)) files.set(name, join(directory, name));
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const texts = await Promise.all(sorted.map(([, path]) => readFile(path, 'utf8').catch(() => '')));
  return texts.flatMap((text) => binaryOf(text) ?? []);
}

/** Null for other devices, and for an empty file, by which an administrator hides one. */
function binaryOf(text: string): string | null {
  try {
    const { type, binary } = JSON.parse(text) as { type?: unknown; binary?: unknown };
    return type === 'fs' && typeof binary === 'string' ? binary : null;
  } catch {
    return null;
  }
}

async function helpOf(program: string): Promise<string | null> {
  return promisify(execFile)(program, ['--help'], { timeout: helpDeadlineMs }).then(
    ({ stdout }) => stdout,
    () => null,
  );
}
