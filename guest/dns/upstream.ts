import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIP } from 'node:net';
import { readMessages, withLength } from './framing.ts';
import { isTruncated, responseCode, responseCodes } from './message.ts';

const answerTimeoutMs = 2500;
/** A datagram may be lost: name servers leave out some of many at once. */
const againMs = 800;

/** Another server may know what this one cannot say; other resolvers ask on after these, too. */
const inconclusive: readonly number[] = [
  responseCodes.serverFailure,
  responseCodes.notImplemented,
  responseCodes.refused,
];

/** `whole`: by datagram, and again by TCP when the answer was cut. */
export type Transport = 'udp' | 'tcp' | 'whole';

/**
 * Asks servers outside: the query's bytes and the answer's are passed as they are, but for the number, which is
 * drawn anew so that nobody else knows it. The servers (`10.0.0.1`, `10.0.0.1:5353`, `[fd00::1]:5353`) are asked in
 * order, each for some time. Null when none answers.
 */
export async function askUpstream(
  query: Buffer,
  servers: readonly string[],
  transport: Transport,
): Promise<Buffer | null> {
  const asked = Buffer.from(query);
  asked.writeUInt16BE(randomInt(0x10000), 0);
  let last: Buffer | null = null;
  for (const server of servers) {
    const answer = await askOne(asked, parseServer(server), transport);
    if (answer === null) continue;
    last = Buffer.from(answer);
    last.writeUInt16BE(query.readUInt16BE(0), 0);
    if (!inconclusive.includes(responseCode(last))) return last;
  }
  return last;
}

interface Server {
  readonly host: string;
  readonly port: number;
}

async function askOne(query: Buffer, server: Server, transport: Transport): Promise<Buffer | null> {
  if (transport === 'tcp') return await overTcp(query, server);
  const answer = await overUdp(query, server);
  if (answer === null || transport === 'udp' || !isTruncated(answer)) return answer;
  return (await overTcp(query, server)) ?? answer;
}

/** As Node writes the servers that it has found. */
function parseServer(text: string): Server {
  if (isIP(text) !== 0) return { host: text, port: 53 };
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  return { host: bracketed ?? plain ?? text, port: Number(port ?? 53) };
}

function overUdp(query: Buffer, { host, port }: Server): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    let ended = false;
    const end = (answer: Buffer | null) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      clearInterval(again);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(end, answerTimeoutMs, null);
    let again: NodeJS.Timeout | undefined;
    socket.on('error', () => end(null));
    // Connected, so that only this server's datagrams come in.
    socket.connect(port, host, (error?: Error) => {
      if (error) return end(null);
      socket.send(query);
      again = setInterval(() => socket.send(query), againMs);
    });
    socket.on('message', (message) => {
      if (isAnswer(message, query)) end(message);
    });
  });
}

function overTcp(query: Buffer, { host, port }: Server): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: answerTimeoutMs });
    const end = (answer: Buffer | null) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .on('error', () => end(null))
      .on('timeout', () => end(null))
      .on('close', () => end(null));
    socket.on('connect', () => socket.write(withLength(query)));
    readMessages(socket, (message) => end(isAnswer(message, query) ? message : null));
  });
}

function isAnswer(message: Buffer, query: Buffer): boolean {
  return message.length >= 12 && message.readUInt16BE(0) === query.readUInt16BE(0) && message[2]! >= 0x80;
}
