import type { OsImageFiles } from '../drivers/driver.ts';
import { Cancelled, MachineError, Timeout, Unavailable, WentOff } from '../drivers/errors.ts';
import { sharesOf } from './directories/mount-type.ts';
import type { EngineVersion } from './engine-api.ts';
import type { Machine } from './machine.ts';
import type { MachineRecord } from './machine-record.ts';
import type { MachineStore } from './machine-store.ts';
import type { Progress } from './progress.ts';

/** From power-on to the agent's first word. Generous: an emulated computer under load needs a minute. */
const helloDeadlineMs = 120_000;
/** The agent says hello when its API answers, so this is a TLS handshake and a small answer. */
const apiDeadlineMs = 30_000;
const consoleLines = 15;

export interface PowerOnOptions {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** From power-on to the agent's hello. */
  readonly deadlineMs?: number;
}

/**
 * Starts a machine whose files are all there and returns when its API has answered over TLS. What the
 * driver remembers is saved as soon as it says so. On failure the machine may be on: the caller decides.
 *
 * A machine that goes off before its engine has said a word is started once more: an emulated processor on a
 * busy computer can make a kernel panic that boots the next time.
 */
export async function powerOn(
  store: MachineStore,
  machine: Machine,
  { osImage, bootConfig }: { readonly osImage: OsImageFiles | null; readonly bootConfig: string },
  { signal, progress, deadlineMs = helloDeadlineMs }: PowerOnOptions,
): Promise<MachineRecord> {
  const attempt = async (current: Machine, afresh: boolean): Promise<MachineRecord> => {
    const { driver } = current;
    const started = await progress.step('Starting the machine', async (report) => {
      const onProgress = (text: string) => report({ text });
      const state = await driver.start(
        current.handle,
        { osImage, bootConfig, afresh, shares: await sharesOf(current.record) },
        { signal, onProgress, onNote: (text) => progress.note(text) },
      );
      const record = { ...current.record, Driver: state };
      await store.save(record);
      return { ...current, record, handle: { ...current.handle, state } };
    });
    const engine = await progress.step('Waiting for the engine', (report) =>
      whenReady(started, { signal, deadlineMs, onProgress: (text) => report({ text }) }),
    );
    return {
      ...started.record,
      Engine: engine && { Version: engine.version, ApiVersion: engine.apiVersion },
    };
  };
  try {
    return await attempt(machine, false);
  } catch (error) {
    const reason = error instanceof NotReady ? error.cause : error;
    if (!(reason instanceof WentOff)) throw error;
    progress.note(`${(error as Error).message}\nIt is started once more.`);
    const record = await store.load(machine.record.Name);
    const handle = { ...machine.handle, state: record.Driver };
    // Its channels are closed, but its process may still be ending.
    await machine.driver.kill(handle);
    return attempt({ ...machine, record, handle }, true);
  }
}

/** Null when nothing can be asked: the driver has no channel to an agent. */
async function whenReady(
  machine: Machine,
  options: { signal: AbortSignal; deadlineMs: number; onProgress: (text: string) => void },
): Promise<EngineVersion | null> {
  const { driver, handle, paths } = machine;
  if (driver.awaitHello === undefined) return null;
  const deadline = AbortSignal.timeout(options.deadlineMs);
  const signal = AbortSignal.any([options.signal, deadline]);
  try {
    const word = await driver.awaitHello(handle, { signal, onProgress: options.onProgress });
    if (word.type === 'failure') throw new Unavailable(`the engine cannot serve: ${word.message}`);
    if (!driver.features.bootsOsImage) return { version: word.agentVersion, apiVersion: word.apiVersion };
    const { url } = await driver.endpoints(handle);
    const { engineVersion } = await import('./engine-api.ts');
    return await engineVersion(url, paths, {
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(apiDeadlineMs)]),
    });
  } catch (error) {
    if (options.signal.aborted)
      throw error instanceof Cancelled ? error : new Cancelled('cancelled', { cause: error });
    throw await withConsole(
      machine,
      deadline.aborted ? new Timeout(lateText(machine, options.deadlineMs)) : error,
    );
  }
}

function lateText({ record }: Machine, deadlineMs: number): string {
  return `machine "${record.Name}" was started but its engine did not come up within ${deadlineMs / 1000} s`;
}

/** Adds the end of the machine's console to an error: the reason is most often there. */
async function withConsole({ driver, handle, record }: Machine, error: unknown): Promise<unknown> {
  const tail = (await driver.consoleTail?.(handle, consoleLines).catch(() => '')) ?? '';
  return tail === '' ? error : new NotReady(record.Name, error, tail);
}

/** The engine of a machine did not become ready. */
export class NotReady extends MachineError {
  constructor(name: string, cause: unknown, consoleTail: string) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const indented = consoleTail.replace(/^/gm, '  | ');
    super(`${reason}\nthe last lines of the console of "${name}":\n${indented}`, { cause });
  }
}
