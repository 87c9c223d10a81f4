import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../../guest/host/exec.ts';
import { networkNamed } from '../helpers/network-named.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { lookUp, neighbour, open, pathOf } from './network-lab.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) t.plan(0, cannot);
t.setTimeout(120_000);

/** A name server at 10.99.0.1 that knows 192.0.2.53 for every name; resolves with the names it was asked for. */
async function nameServer(t: Test): Promise<string[]> {
  const asked: string[] = [];
  const answer = (query: Buffer, by: string) => {
    const end = query.indexOf(0, 12) + 5;
    const type = query.readUInt16BE(end - 4);
    asked.push(`${query.toString('latin1', 13, end - 5)} ${type} by ${by}`);
    const records = type === 1 ? [Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 53])] : [];
    const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, records.length, 0, 0, 0, 0]);
    return Buffer.concat([head, query.subarray(12, end), ...records]);
  };
  const udp = createSocket('udp4').bind(53, '10.99.0.1');
  udp.on('message', (query, { port, address }) => udp.send(answer(query, 'udp'), port, address));
  const tcp = createServer((socket) =>
    socket.on('data', (data) => {
      const reply = answer(data.subarray(2), 'tcp');
      socket.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply]));
    }),
  ).listen(53, '10.99.0.1');
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  t.teardown(() => {
    udp.close();
    tcp.close();
  });
  return asked;
}

function question(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  const header = Buffer.from([7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const message = Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
  return Buffer.concat([Buffer.from([0, message.length]), message]);
}

t.test('what is not of the network is asked of the servers that the container is to have', async (t) => {
  const lan = await neighbour();
  t.teardown(lan.release);
  const asked = await nameServer(t);
  const { connect, networks, directory } = await open(t);
  await networks.create(networkNamed('app'));
  const dns = { servers: ['10.99.0.1'], search: ['corp.example'], options: ['ndots:2', 'timeout:1'] };
  const web = await connect('web', { mode: 'app', dns });
  t.equal(
    await readFile(join(directory, 'containers/web/resolv.conf'), 'utf8'),
    'nameserver 127.0.0.11\nsearch corp.example\noptions ndots:2 timeout:1\n',
  );
  t.same(await lookUp(web, 'example.com'), ['192.0.2.53']);
  t.match(asked, ['example\u0003com 1 by udp']);
  asked.length = 0;
  const inside = ['nsenter', `-n${pathOf(web)}`, 'socat', '-t2', '-', 'TCP:127.0.0.11:53'];
  const far = await run('busybox', inside, { input: question('example.com') });
  t.same([...far.stdout.subarray(-4)], [192, 0, 2, 53], 'by TCP, too');
  t.same(asked, ['example\u0003com 1 by tcp']);
  const near = await run('busybox', inside, { input: question('web') });
  t.equal([...near.stdout.subarray(-4)].join('.'), web.networks.app!.IPAddress);
  t.equal(asked.length, 1, 'a neighbour is nobody else’s business');
});

t.test('a container in closed networks alone asks nobody outside', async (t) => {
  const lan = await neighbour();
  t.teardown(lan.release);
  const asked = await nameServer(t);
  const { connect, networks } = await open(t);
  await networks.create(networkNamed('closed', { internal: true }));
  const dns = { servers: ['10.99.0.1'], search: [], options: [] };
  const web = await connect('web', { mode: 'closed', dns });
  t.equal(await lookUp(web, 'example.com'), null);
  t.same(await lookUp(web, 'web'), [web.networks.closed!.IPAddress]);
  t.same(asked, []);
});
