import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import t from 'tap';
import { demultiplex } from '../../../cli/docker-client/frames.ts';
import { ago, humanSize } from '../../../cli/docker-client/human.ts';

function frame(kind: number, data: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(Buffer.byteLength(data), 4);
  return Buffer.concat([header, Buffer.from(data)]);
}

async function read(chunks: Buffer[]): Promise<Record<'stdout' | 'stderr', string>> {
  const got = { stdout: '', stderr: '' };
  const pieces = demultiplex((stream, piece) => {
    got[stream] += piece;
  });
  pieces.resume();
  await pipeline(Readable.from(chunks), pieces);
  return got;
}

t.test('frames are told apart wherever the stream is cut', async (t) => {
  const whole = Buffer.concat([frame(1, 'out'), frame(2, 'error'), frame(1, ''), frame(1, ' more')]);
  for (let size = 1; size <= whole.length; size++) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
    t.same(await read(chunks), { stdout: 'out more', stderr: 'error' }, `pieces of ${size}`);
  }
});

t.test('what is no frame is an error', async (t) => {
  await t.rejects(read([Buffer.from('plain text, no frames')]), { message: /unknown kind/ });
});

t.test('sizes and times are in the words of the docker CLI', async (t) => {
  t.same([0, 999, 4_421_246, 1_500_000_000].map(humanSize), ['0B', '999B', '4.42MB', '1.5GB']);
  const words = [0, 1, 30, 60, 120, 3600, 7200, 86_400 * 3, 86_400 * 20, 86_400 * 90, 86_400 * 1000];
  t.same(
    words.map((seconds) => ago(0, seconds * 1000)),
    [
      'Less than a second ago',
      '1 second ago',
      '30 seconds ago',
      'About a minute ago',
      '2 minutes ago',
      'About an hour ago',
      '2 hours ago',
      '3 days ago',
      '2 weeks ago',
      '3 months ago',
      '2 years ago',
    ],
  );
});
