const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'] as const;

/** The proxies of this computer's programs, in capitals or not; those that are set, by their names in capitals. */
export function hostProxies(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name] || env[name.toLowerCase()];
      return value ? [[name, value]] : [];
    }),
  );
}
