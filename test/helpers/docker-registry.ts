import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface DockerRegistryOptions {
  /** Who may come in; without one, everybody. */
  readonly user?: { readonly name: string; readonly password: string };
  /** PEM files of its own; without them it speaks plain HTTP. `clientCa` is for clients that must have a certificate. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** One of this computer's own; loopback without. */
  readonly address?: string;
}

/** Debian's `docker-registry` on a free loopback port, with a store of its own: the oracle of our client. */
export class DockerRegistry {
  /** `ADDRESS:PORT` */
  readonly host: string;
  readonly url: string;

  private constructor(host: string, scheme: string) {
    this.host = host;
    this.url = `${scheme}://${host}`;
  }

  /** Why it cannot be started; undefined when it can. */
  static missing(): string | undefined {
    const absent = ['docker-registry', 'htpasswd', 'skopeo'].filter(
      (program) => !existsSync(`/usr/bin/${program}`),
    );
    return absent.length > 0 ? `not installed: ${absent.join(', ')}` : undefined;
  }

  static async open(
    t: { teardown(close: () => unknown): unknown },
    options: DockerRegistryOptions = {},
  ): Promise<DockerRegistry> {
    const directory = mkdtempSync(join(tmpdir(), 'mr-'));
    writeFileSync(join(directory, 'config.yml'), JSON.stringify(configOf(directory, options)));
    const server = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'docker-registry', 'serve', join(directory, 'config.yml')],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' } },
    );
    t.teardown(() => close(server, directory));
    const { address = '127.0.0.1', tls } = options;
    return new DockerRegistry(`${address}:${await portOf(server)}`, tls ? 'https' : 'http');
  }
}

/** JSON is YAML. */
function configOf(directory: string, { user, tls, address = '127.0.0.1' }: DockerRegistryOptions): object {
  const passwords = join(directory, 'htpasswd');
  if (user) {
    const { stdout } = spawnSync('htpasswd', ['-niB', user.name], { input: user.password });
    writeFileSync(passwords, stdout);
  }
  mkdirSync(join(directory, 'store'));
  return {
    version: '0.1',
    log: { level: 'info', formatter: 'json', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'store') }, delete: { enabled: true } },
    http: {
      addr: `${address}:0`,
      ...(tls && {
        tls: { certificate: tls.cert, key: tls.key, ...(tls.clientCa && { clientcas: [tls.clientCa] }) },
      }),
    },
    ...(user && { auth: { htpasswd: { realm: 'test', path: passwords } } }),
  };
}

function portOf(server: ChildProcess): Promise<string> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    createInterface({ input: server.stderr! }).on('line', (line) => {
      said.push(line);
      const port = /listening on [\d.]+:(\d+)/.exec(line)?.[1];
      if (port) resolve(port);
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`docker-registry ended (${code}): ${said.join('\n')}`)));
  });
}

async function close(server: ChildProcess, directory: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
  }
  await rm(directory, { recursive: true, force: true });
}
