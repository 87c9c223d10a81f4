import { FailedPrecondition } from '../drivers/errors.ts';
import { mountTypes } from '../guest/wire/index.ts';
import { migrate, migrations } from './migrations.ts';
import {
  anything,
  type Checked,
  flag,
  givenOr,
  list,
  nullable,
  object,
  oneOf,
  ShapeError,
  text,
  wholeNumber,
} from './shape.ts';

/**
 * What is remembered of a machine: `config.json`. Names and nesting are docker-machine's, because scripts
 * read them through `machine inspect`. No path and no state of the machine is in it: paths follow from
 * where the store is, states from what really runs. The one exception is `Phase`, an intent: `creating`
 * until everything is there, so that what an interrupted creation left can be recognised and removed.
 *
 * Version 4 is the first of this program; 0 to 3 were docker-machine's.
 */
export const configVersion = 4;

const texts = list(text);

const schema = object({
  ConfigVersion: oneOf(configVersion),
  Name: text,
  DriverName: text,
  Phase: oneOf('creating', 'created'),
  /** ISO 8601, UTC. */
  CreatedAt: text,
  /** What the driver remembers, in its own terms; null before its first step. */
  Driver: anything,
  /** Digest of the OS image last booted; null when the machine boots none of ours. */
  OsImage: nullable(text),
  /** What its OS image is to have besides the usual (images/os-image.ts). */
  OsImageExtras: givenOr([], list(oneOf('qemu-user'))),
  /** How long a machine is idle before it is suspended (supervisor/suspend); null = it never is. */
  SuspendAfterMs: givenOr(null, nullable(wholeNumber)),
  /** What the agent said at its last start; null when none ever did. */
  Engine: nullable(object({ Version: text, ApiVersion: text })),
  /** Directories of this computer in the machine; records from before there were any have none. */
  Mounts: givenOr([], list(object({ Host: text, Guest: text, ReadOnly: flag }))),
  /** How they get there; records from before there was a choice have sftp. */
  MountType: givenOr('sftp', oneOf(...mountTypes)),
  HostOptions: object({
    EngineOptions: object({
      Labels: texts,
      InsecureRegistry: texts,
      RegistryMirror: texts,
      /** `NAME=value`. */
      Env: texts,
    }),
    /** Kept for scripts that read them back; nothing here runs Docker's old Swarm. */
    SwarmOptions: object({
      IsSwarm: flag,
      Master: flag,
      Discovery: text,
      Address: text,
      Host: text,
      Image: text,
      Strategy: text,
      ArbitraryFlags: texts,
      ArbitraryJoinFlags: texts,
      IsExperimental: flag,
    }),
    AuthOptions: object({ ServerCertSANs: texts }),
  }),
});

export type MachineRecord = Checked<typeof schema>;
export type HostOptions = MachineRecord['HostOptions'];

export interface ParsedRecord {
  readonly record: MachineRecord;
  /** The text was of an older version; it must be kept as a backup and replaced. */
  readonly migrated: boolean;
}

/** Throws FailedPrecondition when the text is no record, or one of another program or of a newer version. */
export function parseRecord(source: string): ParsedRecord {
  const { record, migrated } = migrate(jsonObject(source), configVersion, migrations);
  try {
    return { record: schema(record, ''), migrated };
  } catch (error) {
    if (error instanceof ShapeError) throw new FailedPrecondition(`config.json is damaged: ${error.message}`);
    throw error;
  }
}

export function recordText(record: MachineRecord): string {
  return `${JSON.stringify(record, null, 4)}\n`;
}

function jsonObject(source: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(source);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {}
  throw new FailedPrecondition('config.json is not a JSON object');
}
