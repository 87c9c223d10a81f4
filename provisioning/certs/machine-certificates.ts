import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../../drivers/write-file-atomic.ts';
import type { MachineRecord } from '../machine-record.ts';
import type { MachinePaths, StorePaths } from '../paths.ts';
import { expiresSoon } from './expiry.ts';
import { type Identity, issueServer } from './issue.ts';
import { rsaPrivateKey } from './key-pair.ts';
import { type StoreCertificates, storeCertificates } from './store-certificates.ts';

const serverBits = 2048;

/**
 * Names under which an engine is reached. Never the VM's own address: it changes, and a local machine is
 * reached through a port of this computer.
 */
export function serverNames(name: string, extra: readonly string[]): string[] {
  return [...new Set([name, 'localhost', '127.0.0.1', '::1', ...extra])];
}

export interface MachineCertificates {
  /** PEM of the authority that both sides trust. */
  readonly ca: string;
  readonly server: Identity;
}

/**
 * What a machine's directory must hold before it starts: its server's certificate, made when missing or
 * about to expire, and copies of the store's client certificate as they are today. Safe to repeat.
 */
export async function machineCertificates(
  store: StorePaths,
  paths: MachinePaths,
  record: MachineRecord,
  options: { signal?: AbortSignal; now?: Date } = {},
): Promise<MachineCertificates> {
  const { authority, client } = await storeCertificates(store, options);
  let server = await currentServer(paths, authority.cert, options.now);
  if (server === null) {
    options.signal?.throwIfAborted();
    const names = serverNames(record.Name, record.HostOptions.AuthOptions.ServerCertSANs);
    const key = await rsaPrivateKey(serverBits);
    server = issueServer({
      authority,
      key,
      names,
      commonName: record.Name,
      ...(options.now && { now: options.now }),
    });
    await writeFileAtomic(paths.serverKey, server.key);
    await writeFileAtomic(paths.serverCert, server.cert, { mode: 0o644 });
  }
  await copyForClients(paths, { authority, client });
  return { ca: authority.cert, server };
}

/** Renews what a Docker client uses when it is about to expire; the engine trusts the authority, so nothing restarts. */
export async function renewClientCertificate(store: StorePaths, paths: MachinePaths): Promise<void> {
  await copyForClients(paths, await storeCertificates(store));
}

async function copyForClients(paths: MachinePaths, { authority, client }: StoreCertificates): Promise<void> {
  await writeFileAtomic(paths.key, client.key);
  await writeFileAtomic(paths.cert, client.cert, { mode: 0o644 });
  await writeFileAtomic(paths.ca, authority.cert, { mode: 0o644 });
}

/** Null when there is none, when it expires soon, or when the store's authority is no longer who signed it. */
async function currentServer(paths: MachinePaths, ca: string, now?: Date): Promise<Identity | null> {
  try {
    const files = [paths.serverCert, paths.serverKey, paths.ca].map((path) => readFile(path, 'utf8'));
    const [cert, key, signer] = await Promise.all(files);
    return cert && key && signer === ca && !expiresSoon(cert, now) ? { cert, key } : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
