import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../../drivers/write-file-atomic.ts';
import type { MachinePaths } from '../paths.ts';
import { hostAlias } from './host-alias.ts';
import { ed25519KeyPair } from './key-pair.ts';

export interface SshMaterial {
  /** The line for `authorized_keys`. */
  readonly publicKey: string;
  /** The server's own private key, OpenSSH format. */
  readonly hostKey: string;
}

/**
 * A machine's two ed25519 key pairs, made when missing: the user's, and the host key of its SSH server,
 * which is pinned in `known_hosts` before the server has ever run. Nobody is asked to trust what answers.
 */
export async function sshMaterial(paths: MachinePaths, name: string): Promise<SshMaterial> {
  try {
    const files = [paths.sshPublicKey, paths.sshHostKey, paths.knownHosts].map((path) =>
      readFile(path, 'utf8'),
    );
    const [publicKey, hostKey] = await Promise.all(files);
    return { publicKey: publicKey!.trim(), hostKey: hostKey! };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const [user, host] = await Promise.all([ed25519KeyPair(hostAlias(name)), ed25519KeyPair('')]);
  await writeFileAtomic(paths.sshKey, user.private);
  await writeFileAtomic(paths.sshPublicKey, `${user.public}\n`, { mode: 0o644 });
  await writeFileAtomic(paths.sshHostKey, host.private);
  await writeFileAtomic(paths.knownHosts, `${hostAlias(name)} ${host.public.trim()}\n`, { mode: 0o644 });
  return { publicKey: user.public, hostKey: host.private };
}
