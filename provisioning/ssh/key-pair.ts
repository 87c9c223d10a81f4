import { promisify } from 'node:util';
import ssh2 from 'ssh2';

export interface SshKeyPair {
  /** OpenSSH's format (PROTOCOL.key). */
  readonly private: string;
  /** A line of `authorized_keys`. */
  readonly public: string;
}

type Generate = (type: 'ed25519', options: { comment: string }) => Promise<SshKeyPair>;

/** RFC 8709, section 4: the name and 32 bytes, each with its length before it. */
const publicBytes = 4 + 'ssh-ed25519'.length + 4 + 32;

/**
 * Makes an ed25519 key pair. ssh2 takes leading zeros of a public key away with the one that DER puts there, so one
 * pair of 256 is none; it is made again.
 */
export async function ed25519KeyPair(
  comment: string,
  generate: Generate = promisify(ssh2.utils.generateKeyPair) as Generate,
): Promise<SshKeyPair> {
  for (;;) {
    const pair = await generate('ed25519', { comment });
    if (Buffer.from(pair.public.split(' ')[1] ?? '', 'base64').length === publicBytes) return pair;
  }
}
