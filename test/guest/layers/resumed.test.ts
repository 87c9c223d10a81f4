import t from 'tap';
import { deferred, headOf, resumed } from '../../../guest/layers/resumed.ts';

function pieces(...texts: readonly string[]) {
  const asked = { ended: false };
  async function* all(): AsyncGenerator<Buffer> {
    try {
      for (const text of texts) yield Buffer.from(text);
    } finally {
      asked.ended = true;
    }
  }
  return { asked, iterator: all() };
}

async function textOf(source: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const piece of source) text += piece;
  return text;
}

t.test('what was looked at is there again', async (t) => {
  const { iterator } = pieces('ab', 'cd', 'ef');
  const head = await headOf(iterator, 3);
  t.equal(String(head), 'abcd');
  t.equal(await textOf(resumed(head, iterator)), 'abcdef');
});

t.test('the end may come before the head is whole, and at once', async (t) => {
  for (const texts of [['ab'], [], ['']]) {
    const { iterator } = pieces(...texts);
    t.equal(await textOf(resumed(await headOf(iterator, 6), iterator)), texts.join(''));
  }
});

t.test('who leaves early ends the source', async (t) => {
  const { iterator, asked } = pieces('ab', 'cd');
  for await (const piece of deferred(async () => resumed(await headOf(iterator, 1), iterator))) {
    t.equal(String(piece), 'ab');
    break;
  }
  t.ok(asked.ended);
});

t.test('what cannot be opened fails the iteration, and so does what ends in an error', async (t) => {
  await t.rejects(textOf(deferred(() => Promise.reject(new Error('closed')))), { message: 'closed' });
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('ab');
    throw new Error('torn');
  }
  const iterator = broken();
  await t.rejects(textOf(resumed(await headOf(iterator, 1), iterator)), { message: 'torn' });
});
