import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import { Unavailable } from '../../../drivers/errors.ts';
import { type PortsAnswer, type PublishedPorts, portsProtocol } from '../../../guest/wire/index.ts';
import type { MachinePaths } from '../../paths.ts';

/** A running machine's agent, asked what its containers publish. */
export interface PortsStream extends Disposable {
  /** States until the connection ends. */
  states(): AsyncGenerator<PublishedPorts>;
  answer(answer: PortsAnswer): void;
}

const handshakeDeadlineMs = 10_000;
/** States beyond that are not an agent's. */
const longestLine = 16 * 1024 ** 2;

/**
 * Connects as the host in front (guest/wire/published-ports.ts), over TLS with the client certificate. Throws Unavailable
 * when the agent does not answer, and the reason of `signal`.
 */
export async function followPorts(
  url: string,
  paths: Pick<MachinePaths, 'ca' | 'cert' | 'key'>,
  { signal }: { signal: AbortSignal },
): Promise<PortsStream> {
  const [ca, cert, key] = await Promise.all([paths.ca, paths.cert, paths.key].map((path) => readFile(path)));
  const { hostname, port } = new URL(url);
  const connection = await new Promise<Duplex>((resolve, reject) => {
    const deadline = AbortSignal.timeout(handshakeDeadlineMs);
    const sent = request({
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      path: '/machine/ports',
      headers: { connection: 'Upgrade', upgrade: portsProtocol },
      ca,
      cert,
      key,
      agent: false,
    });
    const abort = () => sent.destroy();
    const either = AbortSignal.any([signal, deadline]);
    if (either.aborted) abort();
    either.addEventListener('abort', abort, { once: true });
    const settled = () => either.removeEventListener('abort', abort);
    sent.on('upgrade', (_response, socket, head) => {
      settled();
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    sent.on('response', (response) => {
      settled();
      response.resume();
      reject(new Unavailable(`the engine at ${url} does not tell its ports (status ${response.statusCode})`));
    });
    sent.on('error', (cause) => {
      settled();
      reject(new Unavailable(`the engine at ${url} does not answer`, { cause }));
    });
    sent.end();
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
  const end = () => void connection.destroy();
  connection.on('error', () => {}).on('end', end);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  return {
    states: () => statesOf(connection),
    answer: (answer) => void connection.write(`${JSON.stringify(answer)}\n`),
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', end);
      end();
    },
  };
}

async function* statesOf(connection: Duplex): AsyncGenerator<PublishedPorts> {
  const lines: string[] = [];
  let rest = '';
  let more = () => {};
  connection.setEncoding('utf8');
  connection.on('data', (text: string) => {
    rest += text;
    const whole = rest.split('\n');
    rest = whole.pop()!;
    if (rest.length > longestLine) connection.destroy();
    lines.push(...whole);
    more();
  });
  connection.once('close', () => more());
  while (true) {
    // Who missed some needs the last only.
    const line = lines.splice(0).pop();
    if (line !== undefined) yield JSON.parse(line) as PublishedPorts;
    else if (connection.destroyed) return;
    else
      await new Promise<void>((resolve) => {
        more = resolve;
      });
  }
}
