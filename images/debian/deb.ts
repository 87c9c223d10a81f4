import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { readArMembers } from '../archive/ar.ts';
import { decompress } from '../archive/decompress.ts';
import { readTar, type TarEntry } from '../archive/tar-reader.ts';

/** Files of a binary package (deb(5)), in the archive's order. The package's hash must have been checked before. */
export async function* readDebFiles(path: string): AsyncGenerator<TarEntry> {
  const file = await open(path);
  try {
    const members = await readArMembers(file);
    const data = members.find(({ name }) => name.startsWith('data.tar'));
    if (members[0]?.name !== 'debian-binary' || data === undefined)
      throw new Error(`"${path}" is not a Debian package`);
    const { name, offset, size } = data;
    const packed = createReadStream(path, { start: offset, end: offset + size - 1, highWaterMark: 1 << 18 });
    yield* readTar(await decompress(name, packed));
  } finally {
    await file.close();
  }
}
