/**
 * Where one JSON differs from another, one line each: a key that is missing, another type, another value
 * (unless the path is `own`, then only its type counts). What is there in addition is no difference: newer
 * versions of an API add keys. Mounts and the like are compared in the order of their `Destination`.
 */
export function differences(
  {
    expected,
    found,
    own,
  }: { readonly expected: unknown; readonly found: unknown; readonly own: readonly RegExp[] },
  path = '$',
): string[] {
  const isOwn = own.some((pattern) => pattern.test(path));
  if (kindOf(expected) !== kindOf(found)) {
    // The place of a value that is each one's own may be empty.
    if (isOwn && (expected === null || found === null)) return [];
    // To Go they are the same, and to others an empty list is the easier.
    if (expected === null && typeof found === 'object' && Object.keys(found ?? {}).length === 0) return [];
    return [`${path}: ${show(expected)} is ${show(found)}`];
  }
  if (isOwn) return [];
  if (Array.isArray(expected) && Array.isArray(found)) {
    if (expected.length !== found.length) return [`${path}: ${show(expected)} is ${show(found)}`];
    const [one, other] = [expected, found].map(ordered);
    return one!.flatMap((item, at) =>
      differences({ expected: item, found: other![at], own }, `${path}[${at}]`),
    );
  }
  if (isObject(expected) && isObject(found)) {
    return Object.entries(expected).flatMap(([key, value]) =>
      Object.hasOwn(found, key)
        ? differences({ expected: value, found: found[key], own }, `${path}.${key}`)
        : [`${path}.${key}: ${show(value)} is missing`],
    );
  }
  return expected === found ? [] : [`${path}: ${show(expected)} is ${show(found)}`];
}

function ordered(items: readonly unknown[]): unknown[] {
  const key = (item: unknown) => (isObject(item) ? String(item.Destination ?? '') : '');
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return kindOf(value) === 'object';
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 120) ?? 'absent';
}
