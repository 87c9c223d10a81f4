import type { BuildRequest } from '../build.ts';

/** Names of environments; values may be empty, which means none. */
export type Proxies = Readonly<Record<string, string>>;

const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY'] as const;

/**
 * The proxies for what a build gets itself, in capitals: the engine's own, and over them the build's arguments
 * (`--build-arg HTTP_PROXY=…`, in capitals or not).
 */
export function proxiesOf(
  { buildArgs }: Pick<BuildRequest, 'buildArgs'>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Proxies {
  const found = names.flatMap((name): [string, string][] => {
    const lower = name.toLowerCase();
    const value = buildArgs[name] ?? buildArgs[lower] ?? (env[name] || env[lower]);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(found);
}

/** The same for programs on libcurl, which knows only small letters, and does not spare this computer by itself. */
export function curlProxies(proxies: Proxies): Record<string, string> {
  const small = Object.entries(proxies).map(([name, value]) => [name.toLowerCase(), value] as const);
  const own = ['localhost', '127.0.0.1', '::1', proxies.NO_PROXY].filter(Boolean).join(',');
  return { ...Object.fromEntries(small), no_proxy: own };
}
