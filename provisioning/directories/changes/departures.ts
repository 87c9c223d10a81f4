import { noticeDirectory } from '../../../guest/wire/index.ts';
import type { Machine } from '../../machine.ts';
import type { Attributes } from '../sftp/attributes.ts';
import { Refusal } from '../sftp/errors.ts';
import { status } from '../sftp/protocol.ts';

/** Something that was in a directory which is there still. */
export interface Departed {
  /** Of the SFTP server, a character for each byte. */
  readonly path: string;
  readonly wasDirectory: boolean;
}

/**
 * What is gone from the host and is being told to the machine, as its SFTP server shows it. The engine moves each into the
 * notice directory (wire/host-changes.ts), so that its kernel tells programs of that; which takes that it is there for a
 * moment more. Nothing of it is ever done to a file: what is in the notice directory is on no disk.
 */
export class Departures {
  #serial = 0;
  #offered: readonly Departed[] = [];
  /** The engine has begun to move these. */
  readonly #shown = new Map<string, Departed>();

  /** Instead of what was offered before. */
  offer(serial: number, departed: readonly Departed[]): void {
    this.#serial = serial;
    this.#offered = departed;
    this.#shown.clear();
  }

  /** What is at a path of the notice directory; null for other paths. Throws Refusal where nothing is. */
  attributesAt(path: Buffer): Attributes | null {
    const parts = noticeParts(path);
    if (parts === null) return null;
    const [id, ...rest] = parts;
    if (id === undefined) return made(true);
    const [serial, index] = id.split('.').map(Number);
    const departed = serial === this.#serial ? this.#offered[index ?? -1] : undefined;
    if (departed === undefined || rest.length > 0) throw new Refusal(status.noSuchFile, 'nothing to tell');
    // A rename asks for the directory that it leads to before it asks for what is to be moved.
    this.#shown.set(departed.path, departed);
    return made(true);
  }

  /** What the host has not at this path any more, and yet is to be seen. */
  ghostAt(path: Buffer): Attributes | null {
    const ghost = this.#shown.get(path.toString('latin1'));
    return ghost === undefined ? null : made(ghost.wasDirectory);
  }

  /** Whether a path is of the notice directory; then a request to change it is answered as if it were done. */
  isNotice(path: Buffer): boolean {
    return noticeParts(path) !== null;
  }

  /** A move into the notice directory, or within it. Throws Refusal for what was not offered. */
  moved(from: Buffer): void {
    if (!this.#shown.delete(from.toString('latin1')) && !this.isNotice(from))
      throw new Refusal(status.noSuchFile, 'nothing to tell');
  }
}

const root = Buffer.from(`/${noticeDirectory}`);

/** sshfs sends absolute paths without dots. */
function noticeParts(path: Buffer): string[] | null {
  if (!path.subarray(0, root.length).equals(root)) return null;
  const [before, ...parts] = path.subarray(root.length).toString('latin1').split('/');
  return before === '' ? parts : null;
}

function made(directory: boolean): Attributes {
  const mode = directory ? 0o40755 : 0o100644;
  return {
    size: 0,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    mode,
    atimeMs: 0,
    mtimeMs: 0,
  };
}

const all = new WeakMap<Machine, Departures>();

/** One for the server of a machine's directories and for who tells the machine of changes. */
export function departuresOf(machine: Machine): Departures {
  const departures = all.get(machine) ?? new Departures();
  all.set(machine, departures);
  return departures;
}
