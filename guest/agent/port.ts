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
export async function openAgentPort(path: string, options: AgentPortOptions): Promise<AgentPort> {
  const device = await open(path, constants.O_RDWR | constants.O_NOCTTY);
  const stopping = new AbortController();
  let rounds!: Promise<void>;
  const heard = new Promise<void>((onGreeted) => {
    rounds = serveRounds(device, options, stopping.signal, onGreeted).catch((error) => {
      if (!stopping.signal.aborted) options.log.error({ error }, 'the port to the host failed');
    });
  });
  return {
    heard,
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the agent is stopping'));
      await rounds;
      await device.close();
    },
  };
}

export interface AgentPort extends AsyncDisposable {
  /** Resolves when a host has been greeted. */
  readonly heard: Promise<void>;
}

export interface AgentPortOptions {
  /** Said to each host that connects. */
  readonly greeting: () => FromAgent;
  /** What to say to a wish of the host; null for nothing. The next wish is heard afterwards. */
  readonly answer: (message: ToAgent) => FromAgent | null | Promise<FromAgent | null>;
  readonly log: Logger;
}

async function serveRounds(
  device: FileHandle,
  { greeting, answer, log }: AgentPortOptions,
  stopping: AbortSignal,
  onGreeted: () => void,
): Promise<void> {
  for (;;) {
    await writeLine(device, greeting(), stopping);
    onGreeted();
    // What this host did not read before it left is not for the next one.
    const left = new AbortController();
    const signal = AbortSignal.any([stopping, left.signal]);
    const reader = spawn('cat', [], { stdio: [device.fd, 'pipe', 'ignore'], signal: stopping });
    reader.on('exit', () => left.abort(new Error('the host left')));
    for await (const line of linesOf(reader)) {
      const message = parse(line);
      if (!message) log.warn({ line: line.slice(0, 200) }, 'the host said something unknown');
      const words = message && (await answer(message));
      // One after the other, so that a host that only talks does not make us a crowd.
      if (words) {
        await writeLine(device, words, signal).catch((error) => {
          if (!left.signal.aborted) throw error;
        });
      }
    }
    stopping.throwIfAborted();
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
    if (message?.type === 'activity') return message as ToAgent;
    if (message?.type === 'clock' && [message.epochMs, message.shiftMs ?? 0].every(Number.isFinite))
      return message as ToAgent;
  } catch {
    // Said by the caller.
  }
  return null;
}

/** One line from an agent that will not serve. Waits for a host to take it. */
export async function sayOnce(path: string, message: FromAgent, signal: AbortSignal): Promise<void> {
  const device = await open(path, constants.O_RDWR | constants.O_NOCTTY);
  try {
    await writeLine(device, message, signal);
  } finally {
    await device.close();
  }
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
