/** The name a machine's host key is pinned under: its port on this computer may change, its key does not. */
export function hostAlias(name: string): string {
  return `machine-${name.toLowerCase()}`;
}
