import type { Test } from 'tap';
import { EngineHarness } from '../engine/engine-harness.ts';
import type { CommandOptions, CommandResult } from '../helpers/run-command.ts';
import { bridgeAddress, Dockerd } from './dockerd.ts';

/** An engine that a table is played against. */
export interface Subject {
  /** For files of the test. */
  readonly directory: string;
  readonly socket: string;
  readonly env: Readonly<Record<string, string>>;
  docker(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  output(args: readonly string[], options?: CommandOptions): Promise<string>;
  loadBusybox(): Promise<void>;
}

/** Set by `npm run compat -- --oracle`: the tables are played against dockerd, which must agree with them. */
export const againstDockerd = process.env.MACHINE_COMPAT_AGAINST === 'dockerd';

/** Why the tables cannot be played on this computer; undefined when they can. */
export function cannotPlay(): string | undefined {
  return EngineHarness.missing();
}

/**
 * With `busybox:latest`; closed at the test's end.
 *
 * @param options `direct`: it reaches registries without a proxy
 */
export async function openSubject(t: Test, { direct = false } = {}): Promise<Subject> {
  const subject = againstDockerd
    ? await Dockerd.open(t)
    : await EngineHarness.open(t, ['--bip', bridgeAddress], (harness) => {
        harness.isDirect = direct;
      });
  await subject.loadBusybox();
  return subject;
}
