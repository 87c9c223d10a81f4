import t from 'tap';
import { resolverOf } from '../../../../guest/network/sandbox/outlook.ts';

const place = { address: '10.0.2.53', otherwise: '10.0.2.3' };
const gateways = { 4: null, 6: null };

t.test('a container beside the machine, which it cannot reach, asks the server behind it', async (t) => {
  const upstream = { servers: ['10.0.2.53', '9.9.9.9'], search: [], options: [] };
  const ask = (beside: boolean, own: typeof place | null) =>
    resolverOf({ gateways, resolving: null, beside }, upstream, own).servers;
  t.strictSame(ask(true, place), ['10.0.2.3', '9.9.9.9']);
  t.strictSame(ask(false, place), upstream.servers);
  t.strictSame(ask(true, null), upstream.servers);
});
