import * as z from 'zod';
import { InvalidParameter } from '../../errors.ts';
import { domainOfServer } from '../../reference.ts';
import { authConfig, toCredentials } from '../../registry/credentials.ts';
import type { BuildSupply } from '../build.ts';

const schema = z.record(z.string(), authConfig).nullable();

/** `X-Registry-Config`: base64url of JSON, credentials by registry. Throws InvalidParameter. */
export function parseRegistryConfig(header: string | string[] | undefined): BuildSupply['registryAuth'] {
  if (typeof header !== 'string' || header === '') return () => Promise.resolve(null);
  try {
    const parsed = schema.parse(JSON.parse(Buffer.from(header, 'base64').toString() || '{}'));
    const byHost = new Map(
      Object.entries(parsed ?? {}).map(([name, value]) => [domainOfServer(name), value]),
    );
    return async (host) => {
      const found = byHost.get(domainOfServer(host));
      return found ? toCredentials(found) : null;
    };
  } catch (cause) {
    throw new InvalidParameter('invalid X-Registry-Config header', { cause });
  }
}
