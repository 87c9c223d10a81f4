import { InvalidArgument, MachineError } from '../drivers/errors.ts';
import type { MachineStore } from '../provisioning/machine-store.ts';
import { errorText } from './report-error.ts';

const defaultName = 'default';

/** The machines a command is about: those named, each once, else the one named `default`. Throws InvalidArgument. */
export async function machineNames(
  store: MachineStore,
  given: readonly string[],
): Promise<readonly string[]> {
  if (given.length > 0) return [...new Set(given)];
  if (await store.has(defaultName)) return [defaultName];
  throw new InvalidArgument('No machine name(s) specified and no "default" machine exists');
}

/** As machineNames, for commands about one machine. */
export async function machineName(store: MachineStore, given: string | undefined): Promise<string> {
  return (await machineNames(store, given === undefined ? [] : [given]))[0]!;
}

/** Some of several machines failed; what each of them said has been printed. */
export class SomeFailed extends MachineError {}

/**
 * Does the same to several machines at once. One failure is thrown as it is; of several machines, each
 * failure is printed with its machine's name and the others go on. Throws SomeFailed then.
 */
export async function forEachMachine(
  names: readonly string[],
  work: (name: string) => Promise<void>,
): Promise<void> {
  if (names.length === 1) return work(names[0]!);
  const results = await Promise.allSettled(names.map(work));
  const failed = names.flatMap((name, i) => {
    const result = results[i]!;
    if (result.status === 'fulfilled') return [];
    process.stderr.write(`(${name}) ${errorText(result.reason, { debug: false })}\n`);
    return [name];
  });
  if (failed.length > 0) throw new SomeFailed(`failed: ${failed.join(', ')}`);
}
