import t from 'tap';
import { placeOfGraph, resultGraph } from '../../../../guest/builder/buildkit/result-graph.ts';
import { Op } from '../../../../guest/builder/buildkit/wire/graph.ts';
import { digestOf } from '../../../../guest/digest.ts';

t.test('a result is found again by the graph that stands for it', async (t) => {
  const place = { ref: 'a/b ü', id: '0123abcdef' };
  const graph = resultGraph(place);
  t.same(placeOfGraph(graph), place);
  const [source, end] = graph.def.map((bytes) => Op.decode(bytes));
  t.equal(source!.source!.identifier, 'machine-result://a%2Fb%20%C3%BC/0123abcdef');
  t.same(end!.inputs, [{ digest: digestOf(graph.def[0]!), index: 0 }], 'a graph ends with what it gives');
});

t.test('other graphs stand for none', async (t) => {
  const source = (identifier: string) => Op.encode(Op.of({ source: { identifier } }));
  const end = Op.encode(Op.of({ inputs: [{ digest: 'sha256:x', index: 0 }] }));
  for (const def of [
    [],
    [end],
    [source('docker-image://busybox'), end],
    [source('machine-result://r/'), end],
    [source('machine-result://r/12'), source('local://context'), end],
    [source('machine-result://r/12'), Op.encode(Op.of({})), end],
  ])
    t.equal(placeOfGraph({ def }), null);
});
