/**
 * One line: the ratio, and whether it keeps within `share` of theirs. Where the client alone (`floor`) leaves
 * too little room for that, no slower is enough.
 */
export function judge({
  ours,
  theirs,
  share,
  floor,
}: {
  readonly ours: number;
  readonly theirs: number;
  readonly share: number;
  readonly floor: number;
}): string {
  const ratio = ours / theirs;
  const bar = share * theirs < 1.5 * floor ? 1 : share;
  return `  ratio ${ratio.toFixed(2)}, bar ${bar}: ${ratio <= bar ? 'met' : 'MISSED'}`;
}
