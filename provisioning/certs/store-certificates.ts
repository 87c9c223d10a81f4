import { X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FailedPrecondition } from '../../drivers/errors.ts';
import { writeFileAtomic } from '../../drivers/write-file-atomic.ts';
import { acquireLock } from '../lock.ts';
import type { StorePaths } from '../paths.ts';
import { expiresSoon } from './expiry.ts';
import { type Identity, issueAuthority, issueClient } from './issue.ts';
import { rsaPrivateKey } from './key-pair.ts';

/** Signs for as long as ten years, so it is stronger than what it signs. */
const authorityBits = 3072;
const clientBits = 2048;

export interface StoreCertificates {
  readonly authority: Identity;
  readonly client: Identity;
}

/**
 * The store's authority and client certificate: made when missing, the client's renewed when it is about to
 * expire or is another authority's. Throws FailedPrecondition when only half of a pair is there.
 */
export async function storeCertificates(
  paths: StorePaths,
  { signal, now }: { signal?: AbortSignal; now?: Date } = {},
): Promise<StoreCertificates> {
  await using _lock = await acquireLock(paths.locks, 'store-certs', signal ? { signal } : {});
  const time = now ? { now } : {};

  let authority = await readPair(paths.certs.ca, paths.certs.caKey);
  if (authority === null) {
    signal?.throwIfAborted();
    authority = issueAuthority({ key: await rsaPrivateKey(authorityBits), ...time });
    await writePair(paths.certs.ca, paths.certs.caKey, authority);
  }

  let client = await readPair(paths.certs.cert, paths.certs.key);
  if (client === null || expiresSoon(client.cert, now) || !isIssuedBy(client, authority)) {
    signal?.throwIfAborted();
    client = issueClient({ authority, key: client?.key ?? (await rsaPrivateKey(clientBits)), ...time });
    await writePair(paths.certs.cert, paths.certs.key, client);
  }
  return { authority, client };
}

function isIssuedBy(identity: Identity, authority: Identity): boolean {
  return new X509Certificate(identity.cert).verify(new X509Certificate(authority.cert).publicKey);
}

/** The key first: a certificate without its key is what a reader would trip over. */
async function writePair(certPath: string, keyPath: string, { cert, key }: Identity): Promise<void> {
  for (const path of [keyPath, certPath]) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileAtomic(keyPath, key);
  await writeFileAtomic(certPath, cert, { mode: 0o644 });
}

/** Null when there is no certificate; a key alone is what an interrupted `writePair` leaves, and is replaced. */
async function readPair(certPath: string, keyPath: string): Promise<Identity | null> {
  const [cert, key] = await Promise.all([textOf(certPath), textOf(keyPath)]);
  if (cert === null) return null;
  if (key === null)
    throw new FailedPrecondition(
      `"${certPath}" is there but its key "${keyPath}" is not; restore it, or move both away`,
    );
  return { cert, key };
}

async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}
