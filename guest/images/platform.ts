import * as z from 'zod';
import { InvalidParameter } from '../errors.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | null | undefined;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm' };

/** What containers run on here, in OCI's words. */
export const hostPlatform: Platform = {
  os: 'linux',
  architecture: architectures[process.arch] ?? process.arch,
};

/** Without a variant on either side any is right. */
export function matchesPlatform(its: Platform, wanted: Platform): boolean {
  return (
    its.os === wanted.os &&
    its.architecture === wanted.architecture &&
    (!wanted.variant || !its.variant || its.variant === wanted.variant)
  );
}

const json = z.object({ os: z.string(), architecture: z.string(), variant: z.string().nullish() });

/** The API's `platform`: JSON (`{"os":"linux","architecture":"amd64"}`) or `linux/amd64[/v2]`. Throws InvalidParameter. */
export function parsePlatform(text: string): Platform {
  if (!text.startsWith('{')) {
    const [os, architecture, variant, ...more] = text.split('/');
    if (!os || !architecture || more.length > 0) throw wrong(text);
    return { os, architecture, variant };
  }
  try {
    return json.parse(JSON.parse(text));
  } catch (cause) {
    throw wrong(text, cause);
  }
}

function wrong(text: string, cause?: unknown): InvalidParameter {
  return new InvalidParameter(`invalid platform "${text}"; expected such as linux/amd64`, { cause });
}
