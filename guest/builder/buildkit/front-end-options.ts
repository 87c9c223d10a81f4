import { formatPlatform, type Platform, parsePlatform, plainPlatform } from '../../images/platform.ts';
import type { ResourceLimits } from '../../runtime/spec/resources.ts';
import { checkUlimits, type Ulimit } from '../../runtime/spec/ulimits.ts';
import type { BuildRequest } from '../build.ts';
import { type Call, isCall } from './calls.ts';
import { codes, GrpcError } from './grpc/status.ts';

/** What the options of `dockerfile.v0` say of a build, apart from where its files are and what it is for. */
export type Options = Omit<
  BuildRequest,
  'dockerfile' | 'context' | 'namedContexts' | 'entitlements' | 'platform' | 'saysPlatform'
>;

/** What is built for. */
export interface Targets {
  /** None = this computer's own. */
  readonly platforms: readonly Platform[];
  /** The result is an index, be it of one. */
  readonly isIndex: boolean;
}

/** Where the client has its files. */
export interface Places {
  /** Of the Dockerfile, in its directory. */
  readonly filename: string;
  /** The client's name for that directory. */
  readonly dockerfileDirectory: string;
  /** The Dockerfile is the client's own, whatever the context is. */
  readonly ownDockerfile: boolean;
  readonly contextDirectory: string;
  /** A URL, when the context is none of the client's directories. */
  readonly remote: string | undefined;
  readonly subdirectory: string | undefined;
  /** `--build-context`: name and place. */
  readonly named: ReadonlyMap<string, string>;
}

/** Options that need nothing done: hints, where the sources come from, and what buildx says of itself. */
const ofNoEffect =
  /^(?:contextkey|dockerfilekey|filename|context|contextsubdir|context:.*|localdir:.*|vcs:.*|frontend\.caps|source|cmdline|local-sessionid:.*|build-arg:BUILDKIT_SYNTAX|build-arg:BUILDKIT_INLINE_CACHE|input-metadata:.*|sharedkey:localdir:.*)$/;

/**
 * Reads the front end's options (buildkit, frontend/dockerui/config.go). What it does not know, it refuses by
 * name. Throws GrpcError and InvalidParameter.
 */
export function readOptions(options: ReadonlyMap<string, string>): {
  options: Options;
  places: Places;
  targets: Targets;
  /** What is asked in place of a build. */
  call: Call | undefined;
} {
  const rest = new Map(options);
  const take = (name: string) => {
    const value = rest.get(name);
    rest.delete(name);
    return value;
  };
  const takeAll = (prefix: string) => {
    const found = [...rest].filter(([name]) => name.startsWith(prefix));
    for (const [name] of found) rest.delete(name);
    return new Map(found.map(([name, value]) => [name.slice(prefix.length), value]));
  };
  const places: Places = {
    filename: options.get('filename') ?? 'Dockerfile',
    dockerfileDirectory: options.get('dockerfilekey') ?? 'dockerfile',
    ownDockerfile: options.has('dockerfilekey'),
    contextDirectory: options.get('contextkey') ?? 'context',
    remote: options.get(options.get('contextkey') ?? 'context'),
    subdirectory: options.get('contextsubdir'),
    named: takeAll('context:'),
  };
  const noCache = take('no-cache');
  const mode = take('image-resolve-mode') ?? 'default';
  if (!['default', 'pull', 'local'].includes(mode)) refuse(`image-resolve-mode "${mode}"`);
  const targets = targetsOf(list(take('platform')), truth(take('multi-platform')));
  const buildArgs = Object.fromEntries(takeAll('build-arg:'));
  const shmSize = take('shm-size');
  const hostname = take('hostname');
  const result: Options = {
    target: take('target'),
    buildArgs,
    labels: Object.fromEntries(takeAll('label:')),
    noCache: noCache === undefined ? false : noCache === '' ? true : noCache.split(','),
    pull: mode === 'pull',
    cacheFrom: cacheImports(take('cache-imports'), take('cache-from')),
    network: network(take('force-network-mode')),
    extraHosts: list(take('add-hosts')).map((pair) => pair.replace('=', ':')),
    shmBytes: shmSize === undefined ? undefined : whole('shm-size', shmSize),
    ulimits: ulimits(list(take('ulimit'))),
    limits: limits(take),
    cgroupParent: take('cgroup-parent'),
    hostname: buildArgs.BUILDKIT_SANDBOX_HOSTNAME || hostname,
  };
  const call = take('requestid');
  if (call !== undefined && !isCall(call))
    refuse(
      `--call=${call.replace(/^frontend\./, '')}; --call=check, outline, targets and subrequests.describe are what it answers`,
    );
  for (const name of rest.keys()) {
    if (name.startsWith('attest:')) refuse('attestations (--attest, --sbom, --provenance)');
    if (!ofNoEffect.test(name)) refuse(`the option "${name}" of dockerfile.v0`);
  }
  return { options: result, places, targets, call };
}

function targetsOf(words: readonly string[], forced: boolean): Targets {
  const found = words.map((word) => plainPlatform(parsePlatform(word)));
  const platforms = new Map(found.map((platform) => [formatPlatform(platform), platform]));
  return { platforms: [...platforms.values()], isIndex: forced || found.length > 1 };
}

function refuse(what: string): never {
  throw new GrpcError(codes.unimplemented, `this engine does not support ${what}`);
}

/** `--memory` and the like, of every step (buildkit, frontend/dockerui/config.go). */
function limits(take: (name: string) => string | undefined): ResourceLimits {
  const number = (option: string) => {
    const text = take(option) ?? '0';
    if (!/^-?\d+$/.test(text)) throw new GrpcError(codes.invalidArgument, `invalid ${option} "${text}"`);
    return Number(text);
  };
  return {
    memoryBytes: number('memory'),
    memorySwapBytes: number('memswap'),
    cpuShares: number('cpushares'),
    cpuPeriodUs: number('cpuperiod'),
    cpuQuotaUs: number('cpuquota'),
    cpusetCpus: take('cpusetcpus') ?? '',
    cpusetMems: take('cpusetmems') ?? '',
  };
}

function network(mode: string | undefined): string {
  if (mode === undefined || mode === 'sandbox') return 'default';
  if (mode === 'host' || mode === 'none') return mode;
  throw new GrpcError(codes.invalidArgument, `invalid netmode ${mode}`);
}

/** JSON of `[{"Type": "registry", "Attrs": {"ref": "…"}}]`, or names with commas from older clients. */
function cacheImports(entries: string | undefined, names: string | undefined): string[] {
  const found = entries ? (JSON.parse(entries) as { Type?: string; Attrs?: Record<string, string> }[]) : [];
  return [
    ...list(names),
    ...found.map(({ Type, Attrs }) => {
      if (Type !== 'registry' || !Attrs?.ref)
        return refuse(`--cache-from type=${Type}; type=registry, or an image's name, is what it takes`);
      return Attrs.ref;
    }),
  ];
}

function ulimits(words: readonly string[]): Ulimit[] {
  const parsed = words.map((word) => {
    const [, name, soft, hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(word) ?? [];
    if (!name)
      throw new GrpcError(codes.invalidArgument, `invalid ulimit "${word}"; expected name=soft:hard`);
    return { name, soft: Number(soft), hard: Number(hard) };
  });
  checkUlimits(parsed);
  return parsed;
}

function list(text: string | undefined): string[] {
  return text ? text.split(',') : [];
}

function whole(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new GrpcError(codes.invalidArgument, `invalid ${name} "${text}"`);
  return Number(text);
}

function truth(text: string | undefined): boolean {
  return text !== undefined && /^(?:1|t|true)$/i.test(text);
}
