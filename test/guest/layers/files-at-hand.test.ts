import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { DiskSync } from '../../../guest/host/disk-sync.ts';
import { stageTar } from '../../../guest/layers/stage-tar.ts';
import { makeTar } from '../../helpers/tar.ts';

const time = 1_700_000_000.123456;
const mtimeNs = 1_700_000_000_123_456_000n;
const size = 64 * 1024;
const content = 'x'.repeat(size);

/** A file beside a directory for a layer, and the layer of a tar that has the same file. */
async function stage(t: Test, twin: { mode?: number; content?: string; links?: number; time?: number } = {}) {
  const directory = t.testdir();
  const file = `${directory}/twin`;
  writeFileSync(file, twin.content ?? content);
  chmodSync(file, twin.mode ?? 0o640);
  utimesSync(file, twin.time ?? time, twin.time ?? time);
  for (let i = 1; i < (twin.links ?? 1); i++) linkSync(file, `${file}${i}`);
  const { uid, gid } = statSync(file);
  mkdirSync(`${directory}/layer`);
  const text = (twin.content ?? content).length < size ? twin.content! : content;
  const tar = makeTar([{ path: 'd/f', content: text, mode: 0o640, uid, gid, mtimeNs }]);
  const plain = await stageTar([tar] as never, `${directory}/layer`, {
    lower: null,
    disk: new DiskSync(),
    atHand: new Map([['d/f', file]]),
  });
  const made = `${directory}/layer/fs/d/f`;
  t.equal(plain.sizeBytes, text.length);
  t.equal(readFileSync(made, 'latin1'), text);
  t.match(lstatSync(made), { mode: 0o100640, uid, gid });
  t.ok(Math.abs(lstatSync(made).mtimeMs - time * 1000) < 0.01, 'the time is that of the tar');
  return { isLinked: statSync(file).ino === statSync(made).ino, diffId: plain.diffId, twin: file };
}

t.test('a layer takes a link to a file that is the same', async (t) => {
  const linked = await stage(t);
  t.ok(linked.isLinked);
  t.equal(linked.diffId, (await stage(t, { mode: 0o600 })).diffId, 'the tar is the same');
});

t.test('and writes its own when it is not, or when another may have a link to it', async (t) => {
  for (const [what, twin] of [
    ['another mode', { mode: 0o600 }],
    ['another time', { time: time + 1 }],
    ['another size', { content: `${content}y` }],
    ['more than one link', { links: 2 }],
    ['few bytes', { content: 'few' }],
  ] as const) {
    const made = await stage(t, twin);
    t.notOk(made.isLinked, what);
    t.match(
      statSync(made.twin).mode & 0o777,
      'mode' in twin ? twin.mode : 0o640,
      'the file is left as it was',
    );
  }
});
