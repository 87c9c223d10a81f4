import { once } from 'node:events';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentFailure, Hello } from '../../guest/wire/index.ts';
import type {
  CreateRequest,
  Driver,
  DriverStatus,
  Endpoints,
  MachineHandle,
  WaitOptions,
} from '../driver.ts';
import { Cancelled, FailedPrecondition, PreCreateError, Timeout, Unavailable } from '../errors.ts';
import { textOption } from '../options.ts';

/** Where a fake machine can be told to fail or to hang; also what its console log names. */
export const fakeSteps = [
  'preCreate',
  'create',
  'start',
  'hello',
  'stop',
  'kill',
  'remove',
  'status',
] as const;
export type FakeStep = (typeof fakeSteps)[number];

export interface FakeState {
  readonly failAt: FakeStep | null;
  readonly hangAt: FakeStep | null;
  readonly url: string;
}

const diskFile = 'fake-disk';
const powerFile = 'fake-power';
const consoleFile = 'fake-console.log';

/**
 * A machine that is two files in its directory (a disk; a power word while it is on), for tests and for
 * trying the CLI without a VM. It fails or hangs where it is told to, after half of the step was done,
 * which is when undoing matters.
 */
export class FakeDriver implements Driver<FakeState> {
  readonly name = 'fake';
  readonly features = { power: true, bootsOsImage: false, hello: true, ssh: false, local: true };
  readonly options = [
    { flag: 'fake-fail-at', value: 'STEP', description: `fail in a step: ${fakeSteps.join(', ')}` },
    { flag: 'fake-hang-at', value: 'STEP', description: 'hang in a step until interrupted' },
    { flag: 'fake-url', value: 'URL', description: 'URL to report', default: 'tcp://127.0.0.1:2376' },
  ];

  async preCreate(request: CreateRequest): Promise<void> {
    const state = stateOf(request);
    if (state.failAt === 'preCreate')
      throw new PreCreateError('the fake driver was told to fail in preCreate');
    await hang(state, 'preCreate', request.signal);
  }

  async create(request: CreateRequest, record: (state: FakeState) => Promise<void>): Promise<FakeState> {
    request.signal?.throwIfAborted();
    const state = stateOf(request);
    await record(state);
    request.onProgress?.('making a fake disk');
    await writeFile(join(request.directory, diskFile), 'not really a disk\n');
    await this.#step(state, 'create', request.directory, request.signal);
    return state;
  }

  async start(
    machine: MachineHandle<FakeState>,
    _boot: unknown,
    { signal }: WaitOptions,
  ): Promise<FakeState> {
    await mustExist(machine);
    await writeFile(join(machine.directory, powerFile), 'running\n');
    await this.#step(machine.state, 'start', machine.directory, signal);
    return machine.state;
  }

  async stop(machine: MachineHandle<FakeState>, { signal }: WaitOptions): Promise<void> {
    await this.#step(machine.state, 'stop', machine.directory, signal);
    await rm(join(machine.directory, powerFile), { force: true });
  }

  async kill(machine: MachineHandle<FakeState>): Promise<void> {
    await this.#step(machine.state, 'kill', machine.directory);
    await rm(join(machine.directory, powerFile), { force: true });
  }

  async remove(machine: MachineHandle<FakeState>): Promise<void> {
    for (const file of [powerFile, diskFile]) await rm(join(machine.directory, file), { force: true });
    await this.#step(machine.state, 'remove', machine.directory);
    await rm(join(machine.directory, consoleFile), { force: true });
  }

  async status(machine: MachineHandle<FakeState>): Promise<DriverStatus> {
    if (machine.state.failAt === 'status')
      return { status: 'broken', errors: ['the fake driver was told to be broken'] };
    if (!(await exists(join(machine.directory, diskFile))))
      return { status: 'broken', errors: [`"${diskFile}" is missing`] };
    return (await exists(join(machine.directory, powerFile))) ? { status: 'running' } : { status: 'stopped' };
  }

  async endpoints(machine: MachineHandle<FakeState>): Promise<Endpoints> {
    if ((await this.status(machine)).status !== 'running')
      throw new FailedPrecondition(
        `machine "${machine.name}" is not running; machine start ${machine.name} starts it`,
      );
    return { url: machine.state.url, ip: new URL(machine.state.url).hostname };
  }

  async awaitHello(
    machine: MachineHandle<FakeState>,
    { signal }: WaitOptions,
  ): Promise<Hello | AgentFailure> {
    if (machine.state.failAt === 'hello')
      return { type: 'failure', version: 1, message: 'the fake driver was told to fail in hello' };
    await hang(machine.state, 'hello', signal);
    return {
      type: 'hello',
      version: 1,
      agentVersion: '0.0.0',
      apiVersion: '1.50',
      state: 'ready',
      uptimeMs: 1,
    };
  }

  async consoleTail(machine: MachineHandle<FakeState>, lines: number): Promise<string> {
    const text = await readFile(join(machine.directory, consoleFile), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean).slice(-lines).join('\n');
  }

  async #step(state: FakeState, step: FakeStep, directory: string, signal?: AbortSignal): Promise<void> {
    await writeFile(join(directory, consoleFile), `fake: ${step}\n`, { flag: 'a' });
    if (state.failAt === step) throw new Unavailable(`the fake driver was told to fail in ${step}`);
    await hang(state, step, signal);
  }
}

function stateOf(request: CreateRequest): FakeState {
  return {
    failAt: stepOption(request, 'fake-fail-at'),
    hangAt: stepOption(request, 'fake-hang-at'),
    url: textOption(request.options, 'fake-url') ?? 'tcp://127.0.0.1:2376',
  };
}

function stepOption(request: CreateRequest, flag: string): FakeStep | null {
  const text = textOption(request.options, flag);
  if (text === undefined) return null;
  const step = fakeSteps.find((known) => known === text);
  if (step === undefined)
    throw new PreCreateError(`--${flag} is "${text}"; give one of ${fakeSteps.join(', ')}`);
  return step;
}

async function hang(state: FakeState, step: FakeStep, signal?: AbortSignal): Promise<void> {
  if (state.hangAt !== step) return;
  if (signal === undefined)
    throw new Unavailable(`the fake driver was told to hang in ${step}, which cannot be interrupted`);
  // A pending promise does not keep a process alive; a real driver's process or socket would.
  const alive = setInterval(() => {}, 60_000);
  try {
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    clearInterval(alive);
  }
  throw isTimeout(signal)
    ? new Timeout(`the fake driver hung in ${step}`)
    : new Cancelled(`cancelled in ${step}`);
}

function isTimeout(signal: AbortSignal): boolean {
  return signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
}

async function mustExist(machine: MachineHandle<FakeState>): Promise<void> {
  if (!(await exists(join(machine.directory, diskFile))))
    throw new FailedPrecondition(
      `the disk of machine "${machine.name}" is missing; machine rm ${machine.name} removes what is left`,
    );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
