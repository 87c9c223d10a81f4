import type { Duplex } from 'node:stream';
import { type PortsAnswer, type PublishedPorts, portsProtocol } from '../../../guest/wire/index.ts';
import type { Machine } from '../../machine.ts';
import { engineStream } from '../engine-stream.ts';

/** A running machine's agent, asked what its containers publish. */
export interface PortsStream extends Disposable {
  /** States until the connection ends. */
  states(): AsyncGenerator<PublishedPorts>;
  answer(answer: PortsAnswer): void;
}

/** States beyond that are not an agent's. */
const longestLine = 16 * 1024 ** 2;

/**
 * Connects as the host in front (guest/wire/published-ports.ts). Waits for an agent that is being started. Throws
 * Unavailable or Timeout when it does not answer, and the reason of `signal`.
 */
export async function followPorts(machine: Machine, signal: AbortSignal): Promise<PortsStream> {
  const connection = await engineStream(machine, { path: '/machine/ports', protocol: portsProtocol }, signal);
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
