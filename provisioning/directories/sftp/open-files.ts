import { fchmod, fchown, fsync, ftruncate, futimes, read, type Stats, write } from 'node:fs';
import { promisify } from 'node:util';
import { changeOwner } from '../owners/change-owner.ts';
import type { Owner } from '../owners/owner.ts';
import { dataAnswer, endAnswer } from './answers.ts';
import type { WantedAttributes } from './attributes.ts';
import { Refusal } from './errors.ts';
import type { Packet } from './packets.ts';
import { maxReadBytes, status } from './protocol.ts';
import type { OpenFile } from './shared-tree.ts';

const readAt = promisify(read);
const writeAt = promisify(write);
const sync = promisify(fsync);
const truncate = promisify(ftruncate);
const giveTo = promisify(fchown);
const changeMode = promisify(fchmod);
const changeTimes = promisify(futimes);

export function statsOfOpen({ descriptor, calls }: OpenFile): Stats | Promise<Stats> {
  return calls.fstat(descriptor);
}

export function syncOpen({ descriptor }: OpenFile): Promise<void> {
  return sync(descriptor);
}

/** May be shorter than asked for; the answer at a file's end is that it is there. */
export async function readOpen(
  { descriptor }: OpenFile,
  { id, offset, length }: { readonly id: number; readonly offset: number; readonly length: number },
): Promise<Buffer | Packet> {
  const answer = dataAnswer(id, Math.min(length, maxReadBytes));
  const { bytesRead } = await readAt(descriptor, answer.data, 0, answer.data.length, offset);
  return bytesRead === 0 && length > 0 ? endAnswer(id) : answer.cut(bytesRead);
}

export async function writeOpen({ descriptor }: OpenFile, offset: number, data: Buffer): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await writeAt(descriptor, data, done, data.length - done, offset + done);
    done += bytesWritten;
  }
}

/** As {@link SharedTree.change}, for a file that is open. */
export async function changeOpen(
  { descriptor, writable, readonly, calls, owners }: OpenFile,
  wanted: WantedAttributes,
): Promise<void> {
  const { size, owner, mode, times } = wanted;
  if (readonly) throw new Refusal(status.permissionDenied, 'shared read-only');
  if (size !== undefined && !writable) throw new Refusal(status.permissionDenied, 'open for reading only');
  if (size !== undefined) await truncate(descriptor, size);
  if (owner !== undefined) {
    const really = ({ uid, gid }: Owner) => giveTo(descriptor, uid, gid);
    await changeOwner(await calls.fstat(descriptor), owner, { really, owners });
  }
  if (mode !== undefined) await changeMode(descriptor, mode);
  if (times !== undefined) await changeTimes(descriptor, times.accessed, times.modified);
}
