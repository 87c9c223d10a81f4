import { BuildError } from '../build-error.ts';
import type { LineRange } from '../line-range.ts';

/** A Dockerfile that cannot be read, in the words that docker has for it. */
export function parseError(range: LineRange, message: string, options?: ErrorOptions): BuildError {
  return new BuildError(`dockerfile parse error on line ${range.first}: ${message}`, { ...options, range });
}

/** ` (did you mean X?)` when one of the words is near; else nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const [best] = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance > 0 && distance <= 2)
    .sort((a, b) => a.distance - b.distance);
  return best ? ` (did you mean ${best.candidate}?)` : '';
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
