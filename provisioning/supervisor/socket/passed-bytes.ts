/** How many bytes may pass before the memory that they were in is looked for. */
const collectEveryBytes = 1024 ** 2;

let passed = 0;

/**
 * Told of bytes that this process has passed on. V8 looks for memory that is free again when its own heap has grown,
 * which chunks of bytes hardly do: of 1 GiB through one connection, 40 MiB were in memory at a time. Collecting what is
 * young after every MiB costs no measurable time and leaves 6. Does nothing in a process without `--expose-gc`
 * (launch.ts).
 */
export function bytesPassed(bytes: number): void {
  passed += bytes;
  if (passed < collectEveryBytes) return;
  passed = 0;
  globalThis.gc?.({ type: 'minor' });
}
