import { spawnSync } from 'node:child_process';

/** Why a test that needs this program is skipped; false when it is installed. */
export function lacks(program: string): string | false {
  const found = spawnSync(program, ['--version']).error === undefined;
  return found ? false : `${program} is not installed`;
}

/** Output of a program that must succeed. */
export function outputOf(program: string, args: readonly string[], input?: Buffer): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: 'buffer' });
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr.toString()}`);
  return stdout.toString();
}
