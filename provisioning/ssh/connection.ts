import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { Unavailable } from '../../drivers/errors.ts';
import { hostVerifier } from './known-hosts.ts';
import type { SshTarget } from './target.ts';

/** An open connection whose server proved that it has the pinned key. */
export interface SshConnection extends AsyncDisposable {
  readonly client: ssh2.Client;
}

/** Throws Unavailable when there is no connection, with the reason as its cause. */
export async function connectSsh(
  target: SshTarget,
  { signal }: { signal?: AbortSignal } = {},
): Promise<SshConnection> {
  const [privateKey, verify] = await Promise.all([
    readFile(target.identity, 'utf8'),
    hostVerifier(target.knownHosts, target.alias),
  ]);
  const client = new ssh2.Client();
  const abort = () => client.destroy();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      client
        .once('ready', resolve)
        .once('error', reject)
        .once('close', () => reject(new Error('closed')));
      client.connect({
        host: target.host,
        port: target.port,
        username: target.user,
        privateKey,
        hostVerifier: verify,
        algorithms: { serverHostKey: ['ssh-ed25519'] },
        readyTimeout: 30_000,
        keepaliveInterval: 15_000,
      });
    });
  } catch (cause) {
    client.destroy();
    throw new Unavailable(`cannot open an SSH connection to ${target.host}:${target.port}`, { cause });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return { client, [Symbol.asyncDispose]: async () => void client.end() };
}
