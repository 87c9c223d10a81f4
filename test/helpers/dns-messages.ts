import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Test } from 'tap';
import { readMessages, withLength } from '../../guest/dns/framing.ts';
import { answerCount, questionOf, recordsOf, responseCode } from '../../guest/dns/message.ts';

export interface QueryParts {
  readonly id?: number;
  /** The datagram that the asker takes, by EDNS. */
  readonly payloadBytes?: number;
  readonly dnssec?: boolean;
}

/** A query as clients send it, wishing for recursion. */
export function dnsQuery(
  name: string,
  type: number,
  { id = 0x1234, payloadBytes, dnssec = false }: QueryParts = {},
): Buffer {
  const labels = name === '' ? [] : name.split('.');
  const question = labels.map((label) =>
    Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'),
  );
  const hasEdns = payloadBytes !== undefined || dnssec;
  const header = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, hasEdns ? 1 : 0]);
  const size = payloadBytes ?? 1232;
  const opt = [0, 0, 41, size >> 8, size & 255, 0, 0, dnssec ? 0x80 : 0, 0, 0, 0];
  return Buffer.concat([
    header,
    ...question,
    Buffer.from([0, type >> 8, type & 255, 0, 1]),
    Buffer.from(hasEdns ? opt : []),
  ]);
}

/** The code of a response, and the data of its answers, addresses as text. */
export function readResponse(message: Buffer): { readonly code: number; readonly answers: string[] } {
  const places = [...recordsOf(message, questionOf(message)!)].slice(0, answerCount(message));
  const answers = places.map(({ type, dataStart, end }) => {
    const data = message.subarray(dataStart, end);
    if (type === 1) return data.join('.');
    return type === 28 ? data.toString('hex') : data.toString('latin1');
  });
  return { code: responseCode(message), answers };
}

/** A name server of the test's on a loopback address, by datagrams and by TCP. Resolves with `address:port`. */
export async function nameServer(
  t: Pick<Test, 'teardown'>,
  answer: (query: Buffer, transport: 'udp' | 'tcp') => Buffer | null,
  { host = '127.0.0.1', port = 0 }: { readonly host?: string; readonly port?: number } = {},
): Promise<string> {
  const tcp = createServer((socket) => {
    socket.on('error', () => {});
    readMessages(socket, (query) => {
      const said = answer(query, 'tcp');
      if (said !== null) socket.write(withLength(said));
    });
  });
  tcp.listen(port, host);
  await once(tcp, 'listening');
  const { port: taken } = tcp.address() as { port: number };
  const udp = createSocket('udp4');
  udp.on('message', (query, from) => {
    const said = answer(query, 'udp');
    if (said !== null) udp.send(said, from.port, from.address);
  });
  udp.bind(taken, host);
  await once(udp, 'listening');
  t.teardown(() => {
    tcp.close();
    udp.close();
  });
  return `${host}:${taken}`;
}
