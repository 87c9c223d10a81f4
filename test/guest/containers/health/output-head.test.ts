import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { keptBytes, OutputHead } from '../../../../guest/containers/health/output-head.ts';

t.test('the beginning is kept, and what is cut says so', async (t) => {
  const out = new PassThrough();
  const err = new PassThrough();
  const head = new OutputHead([out, err]);
  const read = once(out, 'data');
  out.write('one ');
  await read;
  err.end('two');
  out.end();
  await head.complete;
  t.equal(head.text, 'one two');

  const long = new PassThrough();
  const cut = new OutputHead([long]);
  long.end(Buffer.alloc(keptBytes * 20, 'x'));
  await cut.complete;
  t.equal(cut.text, `${'x'.repeat(keptBytes)}...`);
});

t.test('a stream that is over already is waited for no longer', async (t) => {
  const gone = new PassThrough();
  gone.destroy();
  await once(gone, 'close');
  const head = new OutputHead([gone]);
  await head.complete;
  t.equal(head.text, '');
});
