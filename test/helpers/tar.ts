import { type TarEntry, tarEntry } from '../../guest/layers/tar-entry.ts';
import { TarParser } from '../../guest/layers/tar-parser.ts';
import { encodeHeader, tarEnd, tarPadding } from '../../guest/layers/tar-writer.ts';

export interface Member extends TarEntry {
  readonly content: string;
}

/** Everything in a tar, read in pieces of the given size; checks that framing + payload are all bytes. */
export function readAll(bytes: Buffer, pieceSize = bytes.length || 1): Member[] {
  const parser = new TarParser();
  const members: { entry: TarEntry; payload: Buffer[] }[] = [];
  let total = 0;
  for (let at = 0; at < bytes.length; at += pieceSize) {
    for (const event of parser.push(bytes.subarray(at, at + pieceSize))) {
      if (event.kind === 'entry') members.push({ entry: event.entry, payload: [] });
      if (event.kind === 'payload') members.at(-1)!.payload.push(Buffer.from(event.bytes));
      if (event.kind === 'payload' || event.kind === 'framing') total += event.bytes.length;
    }
  }
  parser.finish();
  if (total !== bytes.length) throw new Error(`events hold ${total} of ${bytes.length} bytes`);
  return members.map(({ entry, payload }) => ({
    ...entry,
    content: Buffer.concat(payload).toString('latin1'),
  }));
}

export type MemberSpec = Partial<TarEntry> & Pick<TarEntry, 'path'> & { readonly content?: string };

/** A tar of our own writer; members are files unless they say otherwise. */
export function makeTar(members: readonly MemberSpec[]): Buffer {
  const parts: Buffer[] = [];
  for (const { content = '', ...spec } of members) {
    const type = spec.type ?? 'file';
    const body = type === 'file' ? Buffer.from(content, 'latin1') : Buffer.alloc(0);
    const mode = spec.mode ?? (type === 'directory' ? 0o755 : 0o644);
    parts.push(
      encodeHeader(tarEntry({ ...spec, type, mode, size: body.length })),
      body,
      tarPadding(body.length),
    );
  }
  return Buffer.concat([...parts, tarEnd]);
}

/** Makes a header block valid again after a change; leaves blocks that are no headers alone. */
export function repairChecksum(block: Buffer): void {
  if (block.toString('latin1', 257, 262) !== 'ustar') return;
  block.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
}
