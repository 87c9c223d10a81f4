const collator = new Intl.Collator('en', { numeric: true });

/** Compares names as people do: `m2` before `m10`. Total: equal only when identical. */
export function naturalOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}
