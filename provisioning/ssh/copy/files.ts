import type { Readable, Writable } from 'node:stream';

/** What copying must know of a file, links followed. */
export interface FoundFile {
  readonly kind: 'file' | 'directory' | 'other';
  /** Permission bits. */
  readonly mode: number;
}

/** Files of this computer, or of a machine. Errors have the path in their text. */
export interface Files {
  /** Null when there is none. */
  find(path: string): Promise<FoundFile | null>;
  /** Names of what is in a directory, without dots. */
  list(path: string): Promise<readonly string[]>;
  makeDirectory(path: string, mode: number): Promise<void>;
  read(path: string): Readable;
  /** Makes it with this mode, or writes it anew. */
  write(path: string, mode: number): Writable;
  join(directory: string, name: string): string;
  basename(path: string): string;
  /** As people write it. */
  label(path: string): string;
  /** Quicker ways between this computer and a machine, where one is at the other end. */
  readonly fast?: {
    get(path: string, local: string): Promise<void>;
    put(local: string, path: string, mode: number): Promise<void>;
  };
}
