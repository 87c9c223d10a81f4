import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { DockerClient } from '../helpers/docker-client.ts';
import { debianTools } from './debian-tools.ts';

/**
 * Debian's dockerd in mount and process namespaces of its own, in the network of the caller, who should have
 * one of its own too: dockerd sets rules for all of it. Its packages are laid over `/usr`, so nothing is
 * installed; a cgroup v2 hierarchy beside v1 ones is hidden from runc.
 */
const script = `set -e
mount -t overlay overlay -o lowerdir="$1/usr":/usr /usr
mount -t tmpfs tmpfs /run
if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
shift
exec dockerd "$@"`;

export class Dockerd extends DockerClient {
  readonly directory: string;
  readonly socket: string;
  #process: ChildProcess | null = null;

  private constructor(directory: string) {
    super();
    this.directory = directory;
    this.socket = join(directory, 'docker.sock');
  }

  static async open(t: Pick<Test, 'teardown'>): Promise<Dockerd> {
    const dockerd = await Dockerd.start();
    t.teardown(() => dockerd.close());
    return dockerd;
  }

  /** Resolves when the API answers; throws with dockerd's words when it ends instead. */
  static async start(): Promise<Dockerd> {
    const tools = await debianTools('oracle');
    const dockerd = new Dockerd(await mkdtemp(join(tmpdir(), 'md-')));
    const { directory, socket } = dockerd;
    await writeFile(join(directory, 'daemon.json'), '{}');
    const path = process.env.PATH ?? '';
    const child = spawn(
      // A test that is itself ended by its time limit takes dockerd with it.
      'setpriv',
      [
        ...[
          '--pdeathsig',
          'KILL',
          'unshare',
          '--mount',
          '--propagation',
          'private',
          '--pid',
          '--mount-proc',
          '--fork',
          '--kill-child',
        ],
        ...['sh', '-c', script, 'sh', tools],
        ...['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')],
        ...['--pidfile', join(directory, 'pid'), '--host', `unix://${socket}`, '--bip', bridgeAddress],
        ...['--config-file', join(directory, 'daemon.json')],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, PATH: `/usr/sbin:/sbin:${path}` } },
    );
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr! }).on('line', (line) => {
        said.push(line);
        if (line.includes('API listen on')) resolve();
      });
      child.once('error', reject);
      child.once('exit', (code) =>
        reject(new Error(`dockerd ended (${code}): ${said.slice(-20).join('\n')}`)),
      );
    });
    dockerd.#process = child;
    return dockerd;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  get env(): Readonly<Record<string, string>> {
    return { DOCKER_HOST: `unix://${this.socket}`, DOCKER_CONFIG: join(this.directory, 'docker-config') };
  }

  /** Everything in its process namespace ends with it. */
  async close(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child !== null && child.exitCode === null) {
      const ended = once(child, 'exit');
      // unshare itself does not hear it.
      const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
      process.kill(Number(children), 'SIGTERM');
      await ended;
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The default bridge's, for both engines, so that what they print can be compared. */
export const bridgeAddress = '172.31.24.1/24';
