import * as z from 'zod';
import type { Query } from '../../api/handler.ts';
import { InvalidParameter, NotImplemented } from '../../errors.ts';
import { parsePlatform } from '../../images/platform.ts';
import { parseReference, type Reference } from '../../reference.ts';
import type { BuildRequest } from '../build.ts';

/** `POST /build`'s query. */
export interface ClassicQuery {
  readonly request: Omit<BuildRequest, 'dockerfile' | 'context'>;
  /** Path in the context. */
  readonly dockerfile: string;
  readonly remote: string;
  readonly tags: readonly Reference[];
  /** Nothing but the image's id. */
  readonly quiet: boolean;
  /** `version=2`: the client wants BuildKit's progress. */
  readonly buildKit: boolean;
  /** BuildKit's: who is asked for credentials, secrets and agents; empty = nobody. */
  readonly session: string;
}

const refused: Readonly<Record<string, string>> = {
  squash: 'this engine does not squash; use several stages, and copy from one to the next what is needed',
  outputs: 'builds over /build make images only; for --output use docker buildx build',
  isolation: 'isolation is for Windows containers; leave it out',
};

const strings = z.array(z.string());
const values = z.record(z.string(), z.string());
const nullable = z.record(z.string(), z.string().nullable());
const limits = z.array(z.object({ Name: z.string(), Soft: z.number(), Hard: z.number() }));

/** Throws InvalidParameter that names the parameter, or NotImplemented. */
export function parseBuildQuery(query: Query, apiMinor: number): ClassicQuery {
  if (query.text('securityopt') !== undefined)
    throw new InvalidParameter('security options are not supported on linux');
  for (const [name, sentence] of Object.entries(refused)) {
    const text = query.text(name) ?? '';
    const given = name === 'squash' ? query.flag(name) : text !== '' && text !== '[]' && text !== 'null';
    if (given && !(name === 'isolation' && text === 'default')) throw new NotImplemented(sentence);
  }
  const version = query.text('version') ?? '';
  if (!['', '1', '2'].includes(version)) throw new InvalidParameter(`invalid version ${version}`);
  const buildKit = version === '2';
  const session = query.text('session') ?? '';
  if (session !== '' && !buildKit)
    throw new NotImplemented('the classic builder has no sessions; ask for BuildKit with version=2');
  if (query.text('remote') === 'client-session')
    throw new NotImplemented(
      'contexts come over /build as an archive; for one that the session has, use docker buildx build',
    );
  const platform = (apiMinor >= 32 && query.text('platform')) || '';
  const network = query.text('networkmode') ?? '';
  const number = (name: string) => query.integer(name) ?? 0;
  return {
    request: {
      namedContexts: new Map(),
      target: query.text('target') || undefined,
      buildArgs: json(query, 'buildargs', nullable) ?? {},
      labels: json(query, 'labels', values) ?? {},
      platform: platform === '' ? undefined : parsePlatform(platform),
      noCache: query.flag('nocache'),
      pull: query.flag('pull'),
      cacheFrom: json(query, 'cachefrom', strings) ?? [],
      network: network === '' ? 'default' : network,
      cgroupParent: query.text('cgroupparent') || undefined,
      extraHosts: query.all('extrahosts').flatMap(hosts),
      shmBytes: query.integer('shmsize') || undefined,
      ulimits: (json(query, 'ulimits', limits) ?? []).map(({ Name, Soft, Hard }) => ({
        name: Name,
        soft: Soft,
        hard: Hard,
      })),
      limits: {
        memoryBytes: number('memory'),
        memorySwapBytes: number('memswap'),
        cpuShares: number('cpushares'),
        cpuPeriodUs: number('cpuperiod'),
        cpuQuotaUs: number('cpuquota'),
        cpusetCpus: query.text('cpusetcpus') ?? '',
        cpusetMems: query.text('cpusetmems') ?? '',
      },
      entitlements: new Set(),
    },
    dockerfile: query.text('dockerfile') || 'Dockerfile',
    remote: query.text('remote') ?? '',
    tags: query.all('t').filter(Boolean).map(parseTag),
    quiet: query.flag('q'),
    buildKit,
    session,
  };
}

function parseTag(text: string): Reference {
  const reference = parseReference(text);
  if (reference.digest !== undefined)
    throw new InvalidParameter('refusing to create a tag with a digest reference');
  return reference;
}

/** One a parameter, or, from some libraries, several in one. */
function hosts(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

function json<T>(query: Query, name: string, schema: z.ZodType<T>): T | undefined {
  const text = query.text(name);
  if (text === undefined || text === '' || text === 'null') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidParameter(`error reading ${name}: ${(cause as Error).message}`, { cause });
  }
  const result = schema.safeParse(value);
  if (!result.success)
    throw new InvalidParameter(`error reading ${name}: ${result.error.issues[0]!.message}`);
  return result.data;
}
