import { InvalidParameter } from '../../errors.ts';

export interface Ulimit {
  readonly name: string;
  /** -1 = as much as one likes. */
  readonly soft: number;
  readonly hard: number;
}

const names =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  );

/** dockerd's rules for `--ulimit` (go-units). Throws InvalidParameter. */
export function checkUlimits(ulimits: readonly Ulimit[]): void {
  for (const { name, soft, hard } of ulimits) {
    if (!names.includes(name)) throw new InvalidParameter(`invalid ulimit type: ${name}`);
    if (hard !== -1 && (soft > hard || soft === -1))
      throw new InvalidParameter(
        `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`,
      );
  }
}
