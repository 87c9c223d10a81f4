import { noticeDirectory } from '../../../guest/wire/index.ts';
import type { Machine } from '../../machine.ts';
import type { Attributes } from '../sftp/attributes.ts';
import { Refusal } from '../sftp/errors.ts';
import { status } from '../sftp/protocol.ts';
import { SeenDirectories } from './seen-directories.ts';

/** Something that was in a directory which is there still. Paths are of the SFTP server, a character for each byte. */
export interface Departed {
  readonly path: string;
  readonly wasDirectory: boolean;
}

/** A directory that was not there before. */
export interface Arrived {
  readonly path: string;
  readonly attributes: Attributes;
  /** When it came there, by this computer's clock. */
  readonly sinceMs: number;
}

/**
 * What the machine is being told of by names, as its SFTP server shows it. The engine moves what has gone into the notice
 * directory, and what is new out of it (wire/host-changes.ts), so that its kernel tells programs of that; which takes that
 * the one is there, and the other is not, for a moment more. Nothing of it is ever done to a file: what is in the notice
 * directory is on no disk.
 */
export class Notices {
  readonly seen = new SeenDirectories();
  #departed = new Map<string, Departed>();
  #arrived = new Map<string, Arrived>();
  /** The engine has begun to move these: they are shown, or the next time not shown. */
  readonly #shown = new Map<string, Departed>();
  readonly #hidden = new Set<string>();
  /** Until they are told, these can be moved. */
  readonly #coming = new Set<string>();

  /** Instead of what was offered before. The names of each are those that the engine has for them. */
  offer(serial: number, departed: readonly Departed[], arrived: readonly Arrived[]): void {
    this.#departed = new Map(departed.map((item, i) => [`${serial}.${i}`, item]));
    this.#arrived = new Map(arrived.map((item, i) => [`${serial}.new${i}`, item]));
    this.#shown.clear();
    this.#hidden.clear();
    this.#coming.clear();
  }

  /** What is at a path of the notice directory; null for other paths. Throws Refusal where nothing is. */
  attributesAt(path: Buffer): Attributes | null {
    const parts = noticeParts(path);
    if (parts === null) return null;
    const [id, name, ...rest] = parts;
    if (id === undefined) return made(true);
    const departed = this.#departed.get(id);
    const arrived = this.#arrived.get(id);
    if (name === undefined && (departed ?? arrived) !== undefined) {
      // A rename asks for the directory that it leads to before it asks for what is to be moved.
      if (departed) this.#shown.set(departed.path, departed);
      return made(true);
    }
    if (arrived && name === 'new' && rest.length === 0) return this.#comingOf(arrived);
    throw nothing();
  }

  /**
   * A rename asks for this when it has locked the directory that the new one is in, and next for the new one itself, by
   * which it must not be stopped. Nobody else can ask for that then; but who has asked before has an inode of it, which must
   * stay the one that it has.
   */
  #comingOf({ path, attributes, sinceMs }: Arrived): Attributes {
    if (this.seen.since(path, sinceMs)) throw nothing();
    this.#hidden.add(path);
    this.#coming.add(path);
    return attributes;
  }

  /** Whether the host has something at this path that is not to be seen, this once. */
  hides(path: Buffer): boolean {
    return this.#hidden.size > 0 && this.#hidden.delete(path.toString('latin1'));
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

  /** A move into the notice directory, out of it, or within it. Throws Refusal for what was not offered. */
  moved(from: Buffer, to: Buffer): void {
    const isOffered = this.isNotice(from)
      ? this.isNotice(to) || this.#coming.delete(to.toString('latin1'))
      : this.#shown.delete(from.toString('latin1'));
    if (!isOffered) throw nothing();
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

function nothing(): Refusal {
  return new Refusal(status.noSuchFile, 'nothing to tell');
}

const all = new WeakMap<Machine, Notices>();

/** One for the server of a machine's directories and for who tells the machine of changes. */
export function noticesOf(machine: Machine): Notices {
  const notices = all.get(machine) ?? new Notices();
  all.set(machine, notices);
  return notices;
}
