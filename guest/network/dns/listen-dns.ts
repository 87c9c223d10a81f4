import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { fitDatagram } from '../../dns/fit-datagram.ts';
import { readMessages, withLength } from '../../dns/framing.ts';
import { familyOf } from '../../ip.ts';

const idleMs = 10_000;

/** Answers a query from an address; null: with nothing. Never rejects. */
export type AnswerQuery = (query: Buffer, from: string, transport: 'udp' | 'tcp') => Promise<Buffer | null>;

export interface DnsListener {
  close(): void;
}

/** A name server at an address, by datagrams and by TCP. Rejects when the address or the port cannot be had. */
export async function listenDns(
  { address, port }: { readonly address: string; readonly port: number },
  answer: AnswerQuery,
): Promise<DnsListener> {
  const udp: UdpSocket = createSocket(familyOf(address) === 6 ? 'udp6' : 'udp4');
  udp.bind({ address, port, exclusive: true });
  await once(udp, 'listening');
  udp.on('error', () => {});
  udp.on('message', (query, from) => {
    void answer(query, from.address, 'udp').then((answered) => {
      if (answered) udp.send(fitDatagram(answered, query), from.port, from.address, () => {});
    });
  });
  // A client that has said all it will may still wait for answers.
  const tcp: Server = createServer({ allowHalfOpen: true }, (socket) => {
    let answers = Promise.resolve();
    socket.setTimeout(idleMs, () => socket.destroy()).on('error', () => {});
    readMessages(socket, (query) => {
      const next = answer(query, socket.remoteAddress ?? '', 'tcp');
      answers = answers.then(async () => {
        const answered = await next;
        if (answered && socket.writable) socket.write(withLength(answered));
      });
    });
    socket.on('end', () => void answers.then(() => socket.end()));
  });
  tcp.listen({ host: address, port, exclusive: true });
  await once(tcp, 'listening').catch((error) => {
    udp.close();
    throw error;
  });
  udp.unref();
  tcp.unref();
  return {
    close() {
      udp.close();
      tcp.close();
    },
  };
}
