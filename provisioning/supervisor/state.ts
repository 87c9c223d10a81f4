import { readFile, rm } from 'node:fs/promises';
import { isAlive, type ProcessIdentity } from '../../drivers/process-identity.ts';
import { writeFileAtomic } from '../../drivers/write-file-atomic.ts';
import type { MachinePaths } from '../paths.ts';

export interface ServiceState {
  readonly ready: boolean;
  /** Why its last run ended, until it is ready again. */
  readonly error: string | null;
}

/** `supervisor.json`: who supervises a machine, and how its services are. */
export interface SupervisorState extends ProcessIdentity {
  readonly services: Readonly<Record<string, ServiceState>>;
}

/** The name of the lock that a supervisor holds for as long as it lives. */
export function supervisorResource(name: string): string {
  return `supervisor-${name.toLowerCase()}`;
}

/** Null when nobody supervises the machine, whatever a supervisor that was killed left. */
export async function livingSupervisor(
  paths: Pick<MachinePaths, 'supervisor'>,
): Promise<SupervisorState | null> {
  const state = await readSupervisor(paths);
  return state !== null && (await isAlive(state)) ? state : null;
}

async function readSupervisor({
  supervisor,
}: Pick<MachinePaths, 'supervisor'>): Promise<SupervisorState | null> {
  const text = await readFile(supervisor, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  return text === null ? null : parse(text);
}

function parse(text: string): SupervisorState | null {
  try {
    const state = JSON.parse(text) as Partial<SupervisorState> | null;
    const whole = typeof state?.pid === 'number' && typeof state.started === 'string' && state.services;
    return whole ? (state as SupervisorState) : null;
  } catch {
    return null;
  }
}

/** What a supervisor writes of itself. Writes come one after the other and the last one wins. */
export class SupervisorFile {
  readonly #path: string;
  #state: SupervisorState;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, identity: ProcessIdentity, names: readonly string[]) {
    this.#path = path;
    const waiting: ServiceState = { ready: false, error: null };
    this.#state = { ...identity, services: Object.fromEntries(names.map((name) => [name, waiting])) };
  }

  /** Resolves when it is on disk. */
  write(): Promise<void> {
    const text = `${JSON.stringify(this.#state)}\n`;
    this.#writing = this.#writing.catch(() => {}).then(() => writeFileAtomic(this.#path, text));
    return this.#writing;
  }

  set(name: string, service: ServiceState): Promise<void> {
    this.#state = { ...this.#state, services: { ...this.#state.services, [name]: service } };
    return this.write();
  }

  async remove(): Promise<void> {
    await this.#writing.catch(() => {});
    await rm(this.#path, { force: true });
  }
}
