import t from 'tap';
import { chooseThroughPorts, throughKey } from '../../../../guest/network/ports/through-ports.ts';

const port = (
  hostAddress: string,
  hostPort: number,
  containerPort = 80,
  protocol: 'tcp' | 'udp' = 'tcp',
) => ({
  hostAddress,
  hostPort,
  containerPort,
  protocol,
});
const none = { before: new Map(), others: [] };

t.test('a port keeps its own number, and shares it with the same one of another address', async (t) => {
  const chosen = chooseThroughPorts([port('127.0.0.1', 8080), port('::1', 8080)], none);
  t.strictSame([...chosen], [['tcp 8080 80', 8080]]);
});

t.test('the numbers of others, of the other protocol and of the machine', async (t) => {
  const others = [new Map([['tcp 8080 81', 8080]])];
  const ports = [port('192.0.2.7', 8080), port('192.0.2.7', 8080, 80, 'udp'), port('192.0.2.7', 22)];
  const chosen = chooseThroughPorts(ports, { before: new Map(), others });
  t.equal(chosen.get('udp 8080 80'), 8080, 'udp has its own');
  t.equal(chosen.get('tcp 8080 80'), 32768);
  t.equal(chosen.get('tcp 22 80'), 32769);
});

t.test('what was chosen stays, and what is no more is forgotten', async (t) => {
  const first = port('127.0.0.1', 8080);
  const before = new Map([
    [throughKey(first), 40_000],
    ['tcp 9 9', 9],
  ]);
  t.strictSame([...chooseThroughPorts([first], { before, others: [] })], [[throughKey(first), 40_000]]);
});
