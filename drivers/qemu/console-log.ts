import { open, rename } from 'node:fs/promises';
import type { QemuPaths } from './paths.ts';

/** As much of a log's end as anybody is shown. */
const tailBytes = 64 * 1024;

/** Before power-on: the last power-on's console is kept, the one before it goes. */
export async function rotateConsole({ console, previousConsole }: QemuPaths): Promise<void> {
  await rename(console, previousConsole).catch(ignoreMissing);
}

/** The last lines of a text file, without control characters that would reach the user's terminal; empty when it is missing. */
export async function tailOf(path: string, lines: number): Promise<string> {
  const file = await open(path).catch(ignoreMissing);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    const text = buffer
      .toString('utf8', 0, bytesRead)
      .replaceAll('\r', '')
      .replace(/\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '');
    return text.trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    await file.close();
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
