import { mkdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { LayerFiles } from '../../../guest/layers/layer-files.ts';
import { tarEntry } from '../../../guest/layers/tar-entry.ts';

/** Writes a file of pieces as whoever reads a tar does; returns whether it was awaited, and what was written. */
async function write(directory: string, pieces: readonly Buffer[]) {
  mkdirSync(directory);
  const files = new LayerFiles(directory);
  files.begin('f', tarEntry({ path: 'f', type: 'file', mode: 0o640 }));
  let awaited = false;
  for (const piece of pieces) {
    const pending = files.write(piece);
    if (!pending) continue;
    awaited = true;
    await pending;
  }
  const ended = files.end();
  await ended;
  return { awaited, inOneGo: !ended, content: readFileSync(`${directory}/fs/f`) };
}

/** Pieces that differ from each other. */
function pieces(count: number, bytes: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.alloc(bytes, `${i},`));
}

t.test('files of every size have the bytes of their pieces, in order', async (t) => {
  const root = t.testdir({});
  const cases = [
    { pieces: [], inOneGo: true },
    { pieces: pieces(3, 11), inOneGo: true },
    { pieces: pieces(2, 16 * 1024), inOneGo: true },
    { pieces: pieces(5, 16 * 1024), inOneGo: false },
    { pieces: pieces(300, 32 * 1024 - 7), inOneGo: false },
    // More than a call takes (IOV_MAX, writev(2)).
    { pieces: pieces(5000, 100), inOneGo: false },
    { pieces: pieces(9, 1024 * 1024 + 1), inOneGo: false },
  ];
  for (const [i, one] of cases.entries()) {
    const written = await write(`${root}/${i}`, one.pieces);
    t.ok(written.content.equals(Buffer.concat(one.pieces)), `${one.pieces.length} pieces`);
    t.equal(written.inOneGo, one.inOneGo);
  }
});

t.test('whoever writes faster than the disk has to wait', async (t) => {
  const { awaited } = await write(`${t.testdir({})}/layer`, pieces(40, 256 * 1024));
  t.ok(awaited);
});
