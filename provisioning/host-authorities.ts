import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tls from 'node:tls';

/** Where administrators put certificates for a Linux system to trust: Debian, Fedora, Arch, SUSE. */
const directories = [
  '/usr/local/share/ca-certificates',
  '/etc/pki/ca-trust/source/anchors',
  '/etc/ca-certificates/trust-source/anchors',
  '/etc/pki/trust/anchors',
];
/** Far more than any company has: a bound for what each start hands to the guest. */
const most = 200;

export interface AuthoritySources {
  readonly directories?: readonly string[];
  /** PEM of what the operating system's own store has. */
  readonly store?: () => readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Certificates (PEM) of authorities that this computer trusts besides the well-known ones: a company's proxy that
 * looks into TLS has one. From the system's directories on Linux, from the keychains of macOS and the stores of Windows,
 * and everywhere from the file that NODE_EXTRA_CA_CERTS names. Well-known ones are left out, as that often is the whole
 * system's bundle: a guest reads its boot config byte by byte, and 220 kB of it took 1.8 s under emulation. What cannot
 * be read, or is no certificate of an authority, is passed over.
 */
export async function hostAuthorities({
  directories: places = process.platform === 'linux' ? directories : [],
  store = process.platform === 'linux' ? () => [] : systemStore,
  env = process.env,
}: AuthoritySources = {}): Promise<string[]> {
  const files = (await Promise.all(places.map(filesBelow))).flat();
  if (env.NODE_EXTRA_CA_CERTS) files.push(env.NODE_EXTRA_CA_CERTS);
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1').catch(() => '')));
  const wellKnown = new Set(tls.rootCertificates.map(withoutSpace));
  const found = new Map(
    [...texts, ...store()]
      .flatMap(blocksIn)
      .filter((block) => !wellKnown.has(withoutSpace(block)))
      .flatMap(authoritiesIn)
      .map((one) => [one.fingerprint256, one.toString()]),
  );
  return [...found.values()].slice(0, most);
}

/** Node 22.15 and later can read it; `tls.getCACertificates` says whom the user or an administrator trusts. */
function systemStore(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'system') => string[] };
  return getCACertificates?.('system') ?? [];
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => /\.(?:crt|pem|cer)$/.test(entry.name) && !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function blocksIn(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function withoutSpace(pem: string): string {
  return pem.replace(/\s/g, '');
}

function authoritiesIn(block: string): X509Certificate[] {
  try {
    const certificate = new X509Certificate(block);
    return certificate.ca ? [certificate] : [];
  } catch {
    return [];
  }
}
