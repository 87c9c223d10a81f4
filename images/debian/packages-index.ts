import { Untrusted } from '../../drivers/errors.ts';
import { parseRelations, type Relation } from './relation.ts';
import { compareVersions } from './version.ts';

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** URL of the archive it comes from, without a slash at the end. */
  readonly archive: string;
  /** Below the archive's URL. */
  readonly filename: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Pre-Depends and Depends, not parsed yet: only few of tens of thousands are ever asked for it. */
  readonly depends: string;
  readonly provides: readonly Relation[];
}

/** The newest version of every package of one architecture, from any number of `Packages` files. */
export class PackagesIndex {
  readonly #packages = new Map<string, DebianPackage>();
  readonly #providers = new Map<string, Set<string>>();

  get(name: string): DebianPackage | undefined {
    return this.#packages.get(name);
  }

  /** Packages that say they provide `name`, by name. */
  providersOf(name: string): DebianPackage[] {
    return [...(this.#providers.get(name) ?? [])].sort().map((provider) => this.#packages.get(provider)!);
  }

  add(found: DebianPackage): void {
    const known = this.#packages.get(found.name);
    if (known !== undefined && compareVersions(known.version, found.version) >= 0) return;
    for (const { name } of known?.provides ?? []) this.#providers.get(name)?.delete(found.name);
    this.#packages.set(found.name, found);
    for (const { name } of found.provides) {
      const providers = this.#providers.get(name) ?? new Set();
      this.#providers.set(name, providers.add(found.name));
    }
  }
}

/** Adds the stanzas of a decompressed `Packages` file as they arrive. */
export async function addPackagesFile(
  index: PackagesIndex,
  source: AsyncIterable<Uint8Array>,
  archive: string,
): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of source) {
    text += decoder.decode(chunk, { stream: true });
    const stanzas = text.split('\n\n');
    text = stanzas.pop()!;
    for (const stanza of stanzas) addStanza(index, stanza, archive);
  }
  if (text.trim() !== '') addStanza(index, text, archive);
}

function addStanza(index: PackagesIndex, stanza: string, archive: string): void {
  const fields = parseFields(stanza);
  const need = (field: string): string => {
    const value = fields.get(field);
    if (value === undefined) throw new Untrusted(`package index of ${archive}: an entry lacks "${field}"`);
    return value;
  };
  const sha256 = need('SHA256');
  const filename = need('Filename');
  if (!/^[0-9a-f]{64}$/.test(sha256) || filename.split('/').includes('..'))
    throw new Untrusted(`package index of ${archive}: "${need('Package')}" has a bad hash or file name`);
  index.add({
    name: need('Package'),
    version: need('Version'),
    architecture: need('Architecture'),
    archive,
    filename,
    sizeBytes: Number(need('Size')),
    sha256,
    depends: `${fields.get('Pre-Depends') ?? ''},${fields.get('Depends') ?? ''}`,
    provides: parseRelations(fields.get('Provides') ?? '').flat(),
  });
}

const wanted = new Set(
  'Package Version Architecture Filename Size SHA256 Pre-Depends Depends Provides'.split(' '),
);

/** Fields that are needed, of one line each; continuation lines belong to fields that are not. */
function parseFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of stanza.split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (wanted.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}
