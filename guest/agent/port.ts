import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { run } from '../host/exec.ts';
import type { Logger } from '../log.ts';
import { agentPort, type FromAgent, type ToAgent } from '../wire/index.ts';

/**
 * Our end of the virtio-serial port to the host. As the kernel has it (drivers/char/virtio_console.c): a
 * write waits until a host has connected, a read ends when the host is gone. So each round is: say hello,
 * which waits for a host; read until it leaves; again. No clock is involved.
 *
 * The waiting is done in small processes: a read that blocks in one of Node's own threads would keep the
 * agent from ending.
 */
export interface AgentPort extends AsyncDisposable {
  send(message: FromAgent): Promise<void>;
}

export async function openAgentPort(options: {
  readonly path: string;
  /** Said to each host that connects. */
  readonly greeting: () => FromAgent;
  readonly onMessage: (message: ToAgent) => void;
  readonly log: Logger;
}): Promise<AgentPort> {
  const device = await open(options.path, constants.O_RDWR | constants.O_NOCTTY);
  const stopping = new AbortController();
  const send = (message: FromAgent) => writeLine(device, message, stopping.signal);
  const rounds = serveRounds(device, { ...options, send, signal: stopping.signal }).catch((error) => {
    if (!stopping.signal.aborted) options.log.error({ error }, 'the port to the host failed');
  });
  return {
    send,
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the agent is stopping'));
      await rounds;
      await device.close();
    },
  };
}

async function serveRounds(
  device: FileHandle,
  options: {
    readonly greeting: () => FromAgent;
    readonly onMessage: (message: ToAgent) => void;
    readonly send: (message: FromAgent) => Promise<void>;
    readonly log: Logger;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for (;;) {
    await options.send(options.greeting());
    const reader = spawn('cat', [], { stdio: [device.fd, 'pipe', 'ignore'], signal: options.signal });
    for await (const line of linesOf(reader)) {
      const message = parse(line);
      if (message) options.onMessage(message);
      else options.log.warn({ line: line.slice(0, 200) }, 'the host said something unknown');
    }
    options.signal.throwIfAborted();
  }
}

function linesOf(process: ChildProcess): AsyncIterable<string> {
  process.on('error', () => {});
  return createInterface({ input: process.stdout! });
}

function parse(line: string): ToAgent | null {
  try {
    const message = JSON.parse(line) as Partial<ToAgent> | null;
    if (message?.type === 'who') return { type: 'who' };
    if (message?.type === 'clock' && Number.isFinite(message.epochMs)) return message as ToAgent;
  } catch {
    // Said by the caller.
  }
  return null;
}

async function writeLine(device: FileHandle, message: FromAgent, signal: AbortSignal): Promise<void> {
  await run('sh', ['-c', 'cat >&3'], { input: `${JSON.stringify(message)}\n`, inheritFd: device.fd, signal });
}

/** By the name the host gave it; null when there is no such port. */
export async function findAgentPort(): Promise<string | null> {
  const ports = '/sys/class/virtio-ports';
  for (const port of await readdir(ports).catch(() => [])) {
    const name = await readFile(`${ports}/${port}/name`, 'utf8').catch(() => '');
    if (name.trim() === agentPort) return `/dev/${port}`;
  }
  return null;
}
