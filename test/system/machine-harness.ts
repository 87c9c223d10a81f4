import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Test } from 'tap';
import type { CommandOptions, CommandResult } from '../helpers/run-command.ts';
import { runCommand } from '../helpers/run-command.ts';

/**
 * A store of its own for one test file, with the OS image cache shared between files (building it once is
 * enough), and the two commands a user has: `machine` and the stock `docker`.
 */
export class MachineHarness {
  readonly store: string;
  /** What the commands see besides the caller's environment. */
  readonly env: Readonly<Record<string, string>>;

  private constructor(store: string, env: Readonly<Record<string, string>>) {
    this.store = store;
    this.env = {
      MACHINE_STORAGE_PATH: store,
      MACHINE_CACHE_PATH: process.env.MACHINE_CACHE_PATH ?? join(tmpdir(), 'machine-test-cache'),
      DOCKER_CONFIG: join(store, 'docker-config'),
      HOME: store,
      ...env,
    };
  }

  /** Why this computer cannot run system tests; undefined when it can. */
  static missing(): string | undefined {
    if (!onPath('qemu-system-x86_64') && !onPath('qemu-system-aarch64')) return 'no QEMU on this computer';
    if (!onPath('docker')) return 'no docker CLI on this computer';
    return undefined;
  }

  /** `env`: besides the caller's, for all commands. */
  static async open(env: Readonly<Record<string, string>> = {}): Promise<MachineHarness> {
    return new MachineHarness(await mkdtemp(join(tmpdir(), 'mt-')), env);
  }

  /** With a store that is closed at the test's end. */
  static async openFor(t: Pick<Test, 'teardown'>): Promise<MachineHarness> {
    const harness = await MachineHarness.open();
    t.teardown(() => harness.close());
    return harness;
  }

  /** What the store has of a machine. */
  directory(name: string): string {
    return join(this.store, 'machines', name);
  }

  /** For `docker`: by the machine's socket on this computer. */
  onSocket(name: string): readonly string[] {
    return ['-H', `unix://${join(this.directory(name), 'docker.sock')}`];
  }

  /** The pid of a machine's supervisor. */
  async supervisor(name: string): Promise<number> {
    return JSON.parse(await this.succeed('status', '--json', name)).Supervisor.Pid as number;
  }

  /** A command that must succeed; what it printed, trimmed. */
  async succeed(...args: string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.machine(args);
    if (exitCode !== 0)
      throw new Error(`machine ${args.join(' ')} ended with ${exitCode}: ${stdout}${stderr}`);
    return stdout.trim();
  }

  machine(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(process.execPath, ['cli/bin/machine.mjs', ...args], {
      timeoutMs: 600_000,
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** The stock CLI against a machine, with the environment that `machine env` prints. */
  async docker(name: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand('docker', args, {
      ...options,
      env: { ...this.env, ...(await this.environment(name)), ...options.env },
    });
  }

  /** What `eval "$(machine env NAME)"` sets. */
  async environment(name: string): Promise<Record<string, string>> {
    const { stdout } = await this.machine(['env', '--shell', 'bash', name]);
    return Object.fromEntries([...stdout.matchAll(/^export (\w+)="(.*)"$/gm)].map((m) => [m[1]!, m[2]!]));
  }

  /** Removes every machine and the store. */
  async close(): Promise<void> {
    const { stdout } = await this.machine(['ls', '-q']);
    const names = stdout.split('\n').filter((line) => line !== '');
    if (names.length > 0) await this.machine(['rm', '-f', '-y', ...names]);
    await rm(this.store, { recursive: true, force: true });
  }
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));
}
