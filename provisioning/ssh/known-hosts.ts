import { readFile } from 'node:fs/promises';
import { Untrusted } from '../../drivers/errors.ts';

/**
 * The public keys that a known_hosts file pins for `host`, as SSH sends them on the wire. Only plain names
 * are understood: we write the file ourselves (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
 */
export async function pinnedKeys(path: string, host: string): Promise<Buffer[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').map((line) => line.split(' '));
  const keys = lines.filter(([names, , key]) => key && names?.split(',').includes(host));
  return keys.map(([, , key]) => Buffer.from(key!, 'base64'));
}

/** For ssh2's `hostVerifier`. Throws Untrusted when nothing is pinned: an unknown key is never accepted. */
export async function hostVerifier(path: string, host: string): Promise<(key: Buffer) => boolean> {
  const pinned = await pinnedKeys(path, host);
  if (pinned.length === 0) throw new Untrusted(`no host key of "${host}" is pinned in "${path}"`);
  return (key) => pinned.some((known) => known.equals(key));
}
