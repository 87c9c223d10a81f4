import { execFileSync } from 'node:child_process';

/** Median, least and greatest of a list of measurements, as benches print them. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Has the disk take what others wrote, so that who is measured next does not wait for it. */
export function settleDisk(): void {
  execFileSync('sync');
}

/** Runs each subject in turn, `rounds` times (A B A B …), so that drift of the computer hits all alike. */
export async function interleave<Name extends string>(
  rounds: number,
  subjects: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, Spread>> {
  const names = Object.keys(subjects) as Name[];
  const results = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) results.get(name)!.push(await subjects[name]());
  }
  return Object.fromEntries(names.map((name) => [name, spread(results.get(name)!)])) as Record<Name, Spread>;
}

export function row(name: string, { median, min, max }: Spread, unit = 'ms'): string {
  const cell = (value: number) => value.toFixed(value < 10 ? 1 : 0).padStart(7);
  return `${name.padEnd(44)}${cell(median)} ${unit}   (${cell(min)} …${cell(max)})`;
}
