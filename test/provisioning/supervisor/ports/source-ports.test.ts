import t from 'tap';
import { SourcePorts } from '../../../../provisioning/supervisor/ports/source-ports.ts';

t.test('each is given out once, and again only after all others', async (t) => {
  const sources = new SourcePorts(() => 0.999_999);
  const first = sources.take();
  t.equal(first, 60_999);
  t.equal(sources.take(), 49_152);
  sources.give(first);
  const rest = Array.from({ length: 60_999 - 49_152 }, () => sources.take());
  t.equal(rest.at(-1), first);
  t.equal(new Set(rest).size, rest.length);
  t.equal(sources.take(), 0, 'none is left');
  sources.give(50_000);
  t.equal(sources.take(), 50_000);
});
