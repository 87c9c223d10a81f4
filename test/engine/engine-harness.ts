import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { DockerClient } from '../helpers/docker-client.ts';
import { commandLineOf, processesWith } from '../helpers/processes.ts';
import { runCommand } from '../helpers/run-command.ts';

/**
 * One engine, started directly on this computer with roots, socket, bridge and cgroups of its own, and the
 * stock docker CLI to drive it. Closed at the test's end, which fails when something was left behind.
 */
export class EngineHarness extends DockerClient {
  readonly directory: string;
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly socket: string;
  readonly #flags: readonly string[];
  #process: ChildProcess | null = null;
  readonly #awaited = new Map<string, () => void>();
  /** Called when the engine has ended for good, before it is looked at what it left. */
  afterwards: () => void = () => {};
  /** Reaches registries without a proxy: for tests in a network of their own, which leads nowhere. */
  isDirect = false;
  /** Where the API is served. */
  addresses: readonly string[] = [];

  private constructor(directory: string, flags: readonly string[]) {
    super();
    this.directory = directory;
    this.dataRoot = join(directory, 'data');
    this.runRoot = join(directory, 'run');
    this.socket = join(directory, 'docker.sock');
    this.#flags = flags;
  }

  /** Why this computer cannot run engine tests; undefined when it can. */
  static missing(): string | undefined {
    if (process.platform !== 'linux') return 'not Linux';
    if (process.getuid?.() !== 0) return 'not root';
    const absent = ['docker', 'crun', 'nft', 'ip', 'busybox', 'unshare', 'setpriv', 'script'].filter(
      (program) => !onPath(program),
    );
    return absent.length > 0 ? `not installed: ${absent.join(', ')}` : undefined;
  }

  /** With an empty data root; `flags` are more of the agent's own; `prepare` is called before it starts. */
  static async open(
    t: Pick<Test, 'teardown'>,
    flags: readonly string[] = [],
    prepare: (harness: EngineHarness) => void = () => {},
  ): Promise<EngineHarness> {
    const harness = new EngineHarness(await mkdtemp(join(tmpdir(), 'me-')), flags);
    t.teardown(() => harness.close());
    prepare(harness);
    await harness.start();
    return harness;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  get url(): string {
    return `unix://${this.socket}`;
  }

  /** Resolves when the API answers; throws with the engine's own words when it ends instead. */
  async start(): Promise<void> {
    const engine = spawn(
      // A test that is itself ended by its time limit takes the engine with it.
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', process.execPath],
        join('dist', 'guest', 'main.js'),
        'engine',
        ...['--data-root', this.dataRoot, '--run-root', this.runRoot, '--host', this.url],
        ...this.#flags,
      ],
      {
        stdio: ['ignore', 'inherit', 'pipe'],
        env: { ...process.env, ...(this.isDirect ? noProxies : noRegistries) },
      },
    );
    const said: string[] = [];
    const lines = createInterface({ input: engine.stderr! });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        said.push(line);
        if (line.includes('"the API answers"')) {
          this.addresses = JSON.parse(line).addresses;
          resolve();
        }
        for (const [text, heard] of this.#awaited) if (line.includes(text)) heard();
        // Its complaints belong to the test's output.
        if (/"level":"(error|warn)"/.test(line)) process.stderr.write(`${line}\n`);
      });
      engine.once('error', reject);
      engine.once('exit', (code) => reject(new Error(`the engine ended (${code}): ${said.join('\n')}`)));
    });
    this.#process = engine;
  }

  /** SIGTERM leaves containers running, SIGPWR stops them first, SIGKILL is an accident. */
  async stop(signal: 'SIGTERM' | 'SIGPWR' | 'SIGKILL'): Promise<number | null> {
    const engine = this.#process;
    this.#process = null;
    if (!engine || engine.exitCode !== null || engine.signalCode !== null) return engine?.exitCode ?? null;
    const ended = once(engine, 'exit') as Promise<[number | null]>;
    engine.kill(signal);
    return (await ended)[0];
  }

  /** Resolves when the engine logs a line that contains `text`. */
  logged(text: string): Promise<void> {
    return new Promise((resolve) => this.#awaited.set(text, resolve));
  }

  get env(): Readonly<Record<string, string>> {
    return { DOCKER_HOST: this.url, DOCKER_CONFIG: join(this.directory, 'docker-config') };
  }

  async close(): Promise<void> {
    if (!this.#process) await this.start();
    // What cannot be removed is found below as left behind.
    const { stdout } = await this.docker(['ps', '-aq']);
    const ids = stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await this.docker(['rm', '-fv', ...ids]);
    await this.stop('SIGPWR');
    this.afterwards();
    // What ends because the engine did, ends a moment later.
    for (let tries = 0; tries < 40 && processesWith(this.directory).length > 0; tries++) await delay(50);
    const left = this.#left();
    await this.#sweep();
    if (left.length > 0) throw new Error(`the engine left behind:\n${left.join('\n')}`);
  }

  /** What is on disk for containers; empty when there are none. */
  residue(): string[] {
    const directories = [
      ...['containers', 'snapshots'].map((name) => join(this.dataRoot, name)),
      ...['containers', 'crun'].map((name) => join(this.runRoot, name)),
    ];
    return directories
      .filter((directory) => existsSync(directory))
      .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)));
  }

  /** Short name of this engine among others on the computer (guest/config.ts). */
  get #name(): string {
    return createHash('sha256').update(this.dataRoot).digest('hex').slice(0, 12);
  }

  #left(): string[] {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return [
      ...processesWith(this.directory).map((pid) => `process ${pid}: ${commandLineOf(`${pid}`)}`),
      ...mounts.filter((line) => line.includes(this.directory)).map((line) => `mount ${line}`),
      ...this.#cgroups().flatMap((group) =>
        readdirSync(group, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map((entry) => `cgroup ${join(group, entry.name)}`),
      ),
    ];
  }

  /** The groups that hold this engine's containers: one, or one a hierarchy with cgroup v1. */
  #cgroups(): string[] {
    const root = '/sys/fs/cgroup';
    const parent = `machine-${this.#name}`;
    return [root, ...readdirSync(root).map((hierarchy) => join(root, hierarchy))]
      .map((directory) => join(directory, parent))
      .filter((group) => existsSync(group));
  }

  /** What stays by design until the computer is turned off: the bridge, the table, the empty groups. */
  async #sweep(): Promise<void> {
    for (const group of this.#cgroups()) await runCommand('rmdir', [group]);
    await runCommand('ip', ['link', 'delete', `mb-${this.#name}`]);
    await runCommand('nft', ['delete', 'table', 'inet', `machine_mb_${this.#name}`]);
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Whatever a test asks for, nobody's registry hears of it: this computer's own are reached without a proxy. */
const noRegistries = { HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '' };

const noProxies = { HTTP_PROXY: '', HTTPS_PROXY: '', http_proxy: '', https_proxy: '' };

function onPath(program: string): boolean {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((directory) =>
    existsSync(join(directory, program)),
  );
}
