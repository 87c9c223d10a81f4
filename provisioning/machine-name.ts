import { InvalidArgument } from '../drivers/errors.ts';

/** RFC 1123 lets a label of a host name have 63 bytes. */
const longest = 63;

/**
 * A machine's name is its host name and a directory of the store. Throws InvalidArgument with
 * docker-machine's words, which scripts may look for.
 */
export function assertMachineName(name: string): void {
  if (!isMachineName(name))
    throw new InvalidArgument(
      `invalid hostname "${name}": allowed hostname chars are: 0-9a-zA-Z . -, the first a letter or digit, ${longest} at most`,
    );
}

export function isMachineName(name: string): boolean {
  return /^[0-9a-zA-Z][0-9a-zA-Z.-]*$/.test(name) && name.length <= longest;
}
