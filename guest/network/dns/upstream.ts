import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

const answerTimeoutMs = 2500;

/**
 * Asks servers outside, as they were meant to be asked: the query's bytes and the answer's are passed as
 * they are. The servers are asked in order, each for some time. Null when none answers.
 */
export async function askUpstream(
  query: Buffer,
  servers: readonly string[],
  transport: 'udp' | 'tcp',
): Promise<Buffer | null> {
  for (const server of servers) {
    const answer = await (transport === 'udp' ? overUdp(query, server) : overTcp(query, server));
    if (answer) return answer;
  }
  return null;
}

function overUdp(query: Buffer, server: string): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
    let ended = false;
    const end = (answer: Buffer | null) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(end, answerTimeoutMs, null);
    socket.on('error', () => end(null));
    // Connected, so that only this server's datagrams come in.
    socket.connect(53, server, (error?: Error) => {
      if (error) end(null);
      else socket.send(query);
    });
    socket.on('message', (message) => {
      if (message.length > 2 && message.readUInt16BE(0) === query.readUInt16BE(0)) end(message);
    });
  });
}

function overTcp(query: Buffer, server: string): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: server, port: 53, timeout: answerTimeoutMs });
    const end = (answer: Buffer | null) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .on('error', () => end(null))
      .on('timeout', () => end(null))
      .on('close', () => end(null));
    socket.on('connect', () => socket.write(withLength(query)));
    readMessages(socket, end);
  });
}

/** RFC 1035, section 4.2.2: two bytes of length go before each message. */
export function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

export function readMessages(source: NodeJS.ReadableStream, use: (message: Buffer) => void): void {
  let pending = Buffer.alloc(0);
  source.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      use(pending.subarray(2, end));
      pending = pending.subarray(end);
    }
  });
}
