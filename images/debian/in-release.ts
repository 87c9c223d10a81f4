import { Untrusted } from '../../drivers/errors.ts';
import { archiveKeyFingerprints, archiveKeys } from './archive-keys.ts';

/** What a signed `InRelease` file says. */
export interface Release {
  readonly codename: string;
  readonly version: string;
  readonly acquireByHash: boolean;
  /** By path below the suite's directory. */
  readonly files: ReadonlyMap<string, { readonly sha256: string; readonly sizeBytes: number }>;
}

export interface TrustedKeys {
  readonly armored: string;
  /** Lower-case fingerprints of primary keys; keys not in it are not used. */
  readonly fingerprints: readonly string[];
}

export const debianKeys: TrustedKeys = { armored: archiveKeys, fingerprints: archiveKeyFingerprints };

export interface VerifyOptions {
  readonly text: string;
  /** For messages. */
  readonly url: string;
  readonly codename: string;
  readonly keys?: TrustedKeys | undefined;
  readonly now?: Date | undefined;
}

/**
 * Verifies an `InRelease` file and reads it: a good signature of a pinned key, the codename that was asked
 * for, and not past its end of validity. Only signed text is read. Throws Untrusted.
 */
export async function verifyInRelease({
  text,
  url,
  codename,
  keys = debianKeys,
  now = new Date(),
}: VerifyOptions): Promise<Release> {
  const fields = parseRelease(await signedText(text, url, keys, now));
  const found = fields.get('Codename')?.trim();
  if (found !== codename)
    throw new Untrusted(`${url} is signed, but describes "${found}" instead of "${codename}"`);
  const validUntil = fields.get('Valid-Until')?.trim();
  if (validUntil !== undefined && !(new Date(validUntil) > now)) {
    throw new Untrusted(
      `${url} was valid until ${validUntil}; the mirror is out of date, or this computer's clock is wrong`,
    );
  }
  return {
    codename,
    version: fields.get('Version')?.trim() ?? '',
    acquireByHash: fields.get('Acquire-By-Hash')?.trim() === 'yes',
    files: parseFileList(fields.get('SHA256') ?? ''),
  };
}

async function signedText(text: string, url: string, keys: TrustedKeys, now: Date): Promise<string> {
  // Takes 60 ms to load and only builds need it.
  const openpgp = await import('openpgp');
  try {
    const all = await openpgp.readKeys({ armoredKeys: keys.armored });
    const verificationKeys = all.filter((key) => keys.fingerprints.includes(key.getFingerprint()));
    const message = await openpgp.readCleartextMessage({ cleartextMessage: text });
    const { data, signatures } = await openpgp.verify({ message, verificationKeys, date: now });
    // Several keys sign; the older ones among them are not ours to know. Any pinned one will do.
    await Promise.any(signatures.map(({ verified }) => verified));
    return data;
  } catch (cause) {
    const reason =
      cause instanceof AggregateError ? (cause.errors[0] as Error | undefined) : (cause as Error);
    throw new Untrusted(
      `${url} is not signed by a known Debian key (${reason?.message ?? 'no signature'}); it may have been tampered with, or this computer's clock is wrong`,
      { cause },
    );
  }
}

/** Fields with their continuation lines. */
function parseRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current = '';
  for (const line of text.split('\n')) {
    const match = /^([A-Za-z0-9-]+):(.*)$/.exec(line);
    if (match !== null) {
      current = match[1]!;
      fields.set(current, match[2]!);
    } else if (line.startsWith(' ')) fields.set(current, `${fields.get(current)}\n${line}`);
  }
  return fields;
}

function parseFileList(text: string): Release['files'] {
  const files = new Map<string, { sha256: string; sizeBytes: number }>();
  for (const line of text.split('\n')) {
    const match = /^ ([0-9a-f]{64}) +(\d+) (\S+)$/.exec(line.trimEnd());
    if (match !== null) files.set(match[3]!, { sha256: match[1]!, sizeBytes: Number(match[2]) });
  }
  return files;
}
