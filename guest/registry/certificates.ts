import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidParameter } from '../errors.ts';

/** PEM texts that belong to one registry. */
export interface RegistryCertificates {
  readonly ca: readonly string[];
  readonly client: readonly { readonly cert: string; readonly key: string }[];
}

/**
 * Reads `DIRECTORY/HOST[:PORT]/`, with dockerd's rules: `*.crt` are authorities, `x.cert` with `x.key` is a
 * certificate of ours. Without such a directory there are none. Throws InvalidParameter when half of a pair
 * is missing.
 */
export async function readCertificates(directory: string, host: string): Promise<RegistryCertificates> {
  const folder = join(directory, host);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  const counterpart = (name: string, from: string, to: string) => {
    const other = `${name.slice(0, -from.length)}${to}`;
    if (names.includes(other)) return other;
    throw new InvalidParameter(
      to === '.key'
        ? `missing key ${other} for client certificate ${name} in "${folder}"; authorities have names that end in .crt`
        : `missing client certificate ${other} for key ${name} in "${folder}"`,
    );
  };
  for (const name of names) if (name.endsWith('.key')) counterpart(name, '.key', '.cert');
  const ca = names.filter((name) => name.endsWith('.crt'));
  const pairs = names
    .filter((name) => name.endsWith('.cert'))
    .map((name) => ({ cert: name, key: counterpart(name, '.cert', '.key') }));
  return {
    ca: await Promise.all(ca.map(read)),
    client: await Promise.all(
      pairs.map(async ({ cert, key }) => ({ cert: await read(cert), key: await read(key) })),
    ),
  };
}
