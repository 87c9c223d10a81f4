import { InvalidParameter } from '../errors.ts';
import type { HostConfig } from '../schema/container.ts';

const names = ['no', 'always', 'on-failure', 'unless-stopped'];

/** Throws InvalidParameter in dockerd's words. */
export function checkRestartPolicy({
  RestartPolicy: policy,
  AutoRemove,
}: Pick<HostConfig, 'RestartPolicy' | 'AutoRemove'>): void {
  if (!names.includes(policy.Name))
    throw new InvalidParameter(
      `invalid restart policy: unknown policy '${policy.Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (policy.MaximumRetryCount !== 0 && policy.Name !== 'on-failure')
    throw new InvalidParameter(
      "invalid restart policy: maximum retry count can only be used with 'on-failure'",
    );
  if (policy.MaximumRetryCount < 0)
    throw new InvalidParameter('invalid restart policy: maximum retry count cannot be negative');
  if (AutoRemove && policy.Name !== 'no')
    throw new InvalidParameter("can't create 'AutoRemove' container with restart policy");
}

/** After an exit that nobody asked for: is it started again? */
export function restarts(
  policy: HostConfig['RestartPolicy'],
  exit: { readonly exitCode: number; readonly restartCount: number },
): boolean {
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return (
        exit.exitCode !== 0 &&
        (policy.MaximumRetryCount === 0 || exit.restartCount < policy.MaximumRetryCount)
      );
    default:
      return false;
  }
}

const firstDelayMs = 100;
const longestDelayMs = 60_000;
const goodRunMs = 10_000;

/** dockerd's back-off: doubles from 0.1 s to a minute, and forgets after a run of ten seconds. */
export function restartDelayMs(lastDelayMs: number, ranMs: number): number {
  if (lastDelayMs === 0 || ranMs >= goodRunMs) return firstDelayMs;
  return Math.min(lastDelayMs * 2, longestDelayMs);
}
