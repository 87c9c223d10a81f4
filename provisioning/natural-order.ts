/**
 * Compares names as people do: `m2` before `m10`. By hand, since making an Intl.Collator takes 10 ms, which
 * `machine ls` would spend on nothing else. Total: equal only when identical.
 */
export function naturalOrder(a: string, b: string): number {
  const [left, right] = [pieces(a), pieces(b)];
  for (const [i, piece] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    const numbers = Number(piece) - Number(other);
    if (!Number.isNaN(numbers) && numbers !== 0) return numbers;
    if (Number.isNaN(numbers) && piece !== other) return piece < other ? -1 : 1;
  }
  return left.length - right.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** Runs of digits and what is between them, without regard to case. */
function pieces(name: string): string[] {
  return name.toLowerCase().match(/\d+|\D+/g) ?? [];
}
