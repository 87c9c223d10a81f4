import * as z from 'zod';
import { InvalidParameter } from '../../errors.ts';
import { authConfig, toCredentials } from '../../registry/credentials.ts';
import type { BuildSupply } from '../build.ts';

const schema = z.record(z.string(), authConfig).nullable();

/** `X-Registry-Config`: base64url of JSON, credentials by registry. Throws InvalidParameter. */
export function parseRegistryConfig(header: string | string[] | undefined): BuildSupply['registryAuth'] {
  if (typeof header !== 'string' || header === '') return () => Promise.resolve(null);
  try {
    const parsed = schema.parse(JSON.parse(Buffer.from(header, 'base64').toString() || '{}'));
    const byHost = new Map(Object.entries(parsed ?? {}).map(([name, value]) => [hostOf(name), value]));
    return async (host) => {
      const found = byHost.get(hostOf(host));
      return found ? toCredentials(found) : null;
    };
  } catch (cause) {
    throw new InvalidParameter('invalid X-Registry-Config header', { cause });
  }
}

/** Docker's own registry has an address of old in clients' files. */
function hostOf(name: string): string {
  const host = name.replace(/^https?:\/\//, '').split('/')[0]!;
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}
