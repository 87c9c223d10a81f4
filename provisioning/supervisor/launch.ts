import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Machine } from '../machine.ts';
import type { MachineStore } from '../machine-store.ts';
import { livingSupervisor } from './state.ts';

/**
 * How it resolves names for its machine (names/). Half of the threads may wait for name servers, and a few that do not
 * answer should not hold up all others: so there are many, and with glibc they are given up before who asks has given up.
 * Names mean what they say, without search domains: resolv.conf(5); an empty value would make Node's own resolver lose
 * its servers.
 */
const resolving = {
  UV_THREADPOOL_SIZE: '24',
  LOCALDOMAIN: '.',
  RES_OPTIONS: process.env.RES_OPTIONS ?? 'timeout:1 attempts:4',
};

/** From its start until every service is ready, on a computer that others keep busy. */
const readyDeadlineMs = 20_000;
const pollMs = 40;

export interface EnsureOptions {
  readonly signal: AbortSignal;
  readonly deadlineMs?: number;
  /** Services that are not waited for, since whoever needs them waits himself. */
  readonly notFor?: readonly string[];
  /** Told what is not ready when the deadline has passed: the machine works, something around it does not. */
  readonly onWarning: (text: string) => void;
  /** How the process is started; tests have their own. */
  readonly start?: typeof startSupervisor;
}

/**
 * Gives a machine that runs its supervisor, unless it has one, and waits until its services are ready. Does nothing
 * for drivers whose machines have none. Never throws: a machine without its supervisor is a machine all the same.
 */
export async function ensureSupervised(
  store: MachineStore,
  { driver, paths, record }: Machine,
  { signal, deadlineMs = readyDeadlineMs, notFor = [], onWarning, start = startSupervisor }: EnsureOptions,
): Promise<void> {
  if (driver.whenOff === undefined) return;
  const deadline = Date.now() + deadlineMs;
  let ended: Promise<unknown> | null = null;
  try {
    if ((await livingSupervisor(paths)) === null) ended = start(store, record.Name);
    let isOver = false;
    void ended?.then(() => {
      isOver = true;
    });
    // A file that another process writes: polled, for a moment, at the end of a start that takes seconds.
    for (;;) {
      const hasEnded = isOver;
      const state = await livingSupervisor(paths);
      const waiting = Object.entries(state?.services ?? {}).filter(
        ([service, { ready }]) => !ready && !notFor.includes(service),
      );
      if (state !== null && waiting.length === 0) return;
      if (signal.aborted) return;
      if (Date.now() >= deadline || (state === null && hasEnded))
        return onWarning(notReadyText(record.Name, state === null ? null : waiting));
      await delay(pollMs);
    }
  } catch (error) {
    onWarning(`machine "${record.Name}" runs, but not its supervisor: ${(error as Error).message}`);
  }
}

function notReadyText(
  name: string,
  waiting: readonly (readonly [string, { readonly error: string | null }])[] | null,
): string {
  const what =
    waiting === null
      ? 'its supervisor did not come up'
      : waiting
          .map(([service, { error }]) => `${service} is not ready${error === null ? '' : ` (${error})`}`)
          .join(', ');
  return `WARNING: machine "${name}" runs, but ${what}; machine doctor ${name} says more`;
}

/** Starts a supervisor that outlives this process and the terminal. Resolves when it has ended, should we live to see it. */
export function startSupervisor(store: MachineStore, name: string): Promise<unknown> {
  const { root } = store.paths;
  const child = spawn(
    process.execPath,
    // For what passes through it (socket/passed-bytes.ts).
    ['--expose-gc', process.argv[1]!, '--storage-path', root, 'supervise', name],
    // Not in the user's directory, which would be in use then.
    { detached: true, stdio: 'ignore', cwd: root, windowsHide: true, env: { ...process.env, ...resolving } },
  );
  child.unref();
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
}
