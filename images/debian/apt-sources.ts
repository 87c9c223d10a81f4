export interface AptSource {
  readonly uri: string;
  readonly suite: string;
}

/** Active binary sources of a one-line file (sources.list(5), "THE DEB AND DEB-SRC TYPES"). */
export function parseOneLineSources(text: string): AptSource[] {
  return text
    .split('\n')
    .map((line) => /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line))
    .filter((match) => match !== null)
    .map(([, uri, suite]) => ({ uri: uri!, suite: suite! }));
}

/** Active binary sources of a deb822 file (sources.list(5), "DEB822-STYLE FORMAT"). */
export function parseDeb822Sources(text: string): AptSource[] {
  const clean = text.replace(/^#.*\n?/gm, '');
  return clean.split(/\n\s*\n/).flatMap((stanza) => {
    const words = (field: string) =>
      new RegExp(`^${field}:((?:[^\\n]*)(?:\\n[ \\t][^\\n]*)*)`, 'im')
        .exec(stanza)?.[1]
        ?.trim()
        .split(/\s+/) ?? [];
    if (!words('Types').includes('deb') || words('Enabled')[0]?.toLowerCase() === 'no') return [];
    return words('URIs').flatMap((uri) => words('Suites').map((suite) => ({ uri, suite })));
  });
}
