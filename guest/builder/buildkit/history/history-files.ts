import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, hexOf } from '../../../digest.ts';
import { StatusResponse } from '../wire/control.ts';
import { BuildHistoryRecord } from '../wire/history.ts';
import type { Content } from '../wire/message.ts';

export type HistoryRecord = Content<typeof BuildHistoryRecord>;
type Progress = Content<typeof StatusResponse>;

/**
 * Builds of the past on the disk, as the messages that clients get. Nobody depends on them: they are not synced, and
 * what a power cut has torn is passed over.
 *
 *   <root>/HEX.record   by the digest of the build's reference, which is the client's
 *   <root>/HEX.log      its progress; written first
 */
export class HistoryFiles {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async read(): Promise<HistoryRecord[]> {
    const names = await readdir(this.#root).catch(() => []);
    const records: HistoryRecord[] = [];
    for (const name of names.filter((one) => one.endsWith('.record'))) {
      const record = await readFile(join(this.#root, name))
        .then((bytes) => BuildHistoryRecord.decode(bytes))
        .catch(() => null);
      if (record?.ref && record.createdAt) records.push(record);
      else await rm(join(this.#root, name), { force: true });
    }
    return records;
  }

  async write(record: HistoryRecord, progress?: Progress): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    if (progress) await this.#put(this.#path(record.ref, 'log'), StatusResponse.encode(progress));
    await this.#put(this.#path(record.ref, 'record'), BuildHistoryRecord.encode(record));
  }

  /** Null when there is none. */
  progress(ref: string): Promise<Progress | null> {
    return readFile(this.#path(ref, 'log'))
      .then((bytes) => StatusResponse.decode(bytes))
      .catch(() => null);
  }

  async remove(ref: string): Promise<void> {
    for (const kind of ['record', 'log'] as const) await rm(this.#path(ref, kind), { force: true });
  }

  #path(ref: string, kind: 'record' | 'log'): string {
    return join(this.#root, `${hexOf(digestOf(ref))}.${kind}`);
  }

  async #put(path: string, bytes: Buffer): Promise<void> {
    await writeFile(`${path}.new`, bytes, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}
