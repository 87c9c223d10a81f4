import { duplexPair } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import * as z from 'zod';
import { takeJsonLines } from '../../../guest/host-services/json-lines.ts';

const schema = z.object({ text: z.string() });

function open() {
  const [ours, theirs] = duplexPair();
  const taken: string[] = [];
  takeJsonLines(ours, { schema, longest: 40 }, ({ text }) => taken.push(text));
  theirs.on('error', () => {}).resume();
  return { ours, theirs, taken };
}

t.test('lines may come in pieces, also within a character', async (t) => {
  const { theirs, taken } = open();
  const bytes = Buffer.from('{"text":"a"}\n{"text":"ü"}\n{"te');
  for (const byte of bytes) theirs.write(Buffer.from([byte]));
  theirs.write('xt":"c"}\n');
  await setImmediate();
  t.same(taken, ['a', 'ü', 'c']);
});

for (const [what, said] of [
  ['is no JSON', 'nonsense\n'],
  ['is something else', '{"text":1}\n'],
  ['is too long', 'x'.repeat(41)],
] as const)
  t.test(`what ${what} ends the connection`, async (t) => {
    const { ours, theirs, taken } = open();
    theirs.write(said);
    theirs.write('{"text":"late"}\n');
    await setImmediate();
    t.ok(ours.destroyed);
    t.same(taken, []);
  });
