import * as z from 'zod/mini';
import { FailedPrecondition } from '../drivers/errors.ts';
import { migrate, migrations } from './migrations.ts';

/**
 * What is remembered of a machine: `config.json`. Names and nesting are docker-machine's, because scripts
 * read them through `machine inspect`. No path and no state of the machine is in it: paths follow from
 * where the store is, states from what really runs. The one exception is `Phase`, an intent: `creating`
 * until everything is there, so that what an interrupted creation left can be recognised and removed.
 *
 * Version 4 is the first of this program; 0 to 3 were docker-machine's.
 */
export const configVersion = 4;

const strings = z.array(z.string());

const schema = z.object({
  ConfigVersion: z.literal(configVersion),
  Name: z.string(),
  DriverName: z.string(),
  Phase: z.enum(['creating', 'created']),
  /** ISO 8601, UTC. */
  CreatedAt: z.string(),
  /** What the driver remembers, in its own terms; null before its first step. */
  Driver: z.unknown(),
  /** Digest of the OS image last booted; null when the machine boots none of ours. */
  OsImage: z.nullable(z.string()),
  /** What the agent said at its last start; null when none ever did. */
  Engine: z.nullable(z.object({ Version: z.string(), ApiVersion: z.string() })),
  HostOptions: z.object({
    EngineOptions: z.object({
      Labels: strings,
      InsecureRegistry: strings,
      RegistryMirror: strings,
      /** `NAME=value`. */
      Env: strings,
    }),
    /** Kept for scripts that read them back; nothing here runs Docker's old Swarm. */
    SwarmOptions: z.object({
      IsSwarm: z.boolean(),
      Master: z.boolean(),
      Discovery: z.string(),
      Address: z.string(),
      Host: z.string(),
      Image: z.string(),
      Strategy: z.string(),
      ArbitraryFlags: strings,
      ArbitraryJoinFlags: strings,
      IsExperimental: z.boolean(),
    }),
    AuthOptions: z.object({ ServerCertSANs: strings }),
  }),
});

export type MachineRecord = Readonly<z.infer<typeof schema>>;
export type HostOptions = MachineRecord['HostOptions'];

export interface ParsedRecord {
  readonly record: MachineRecord;
  /** The text was of an older version; it must be kept as a backup and replaced. */
  readonly migrated: boolean;
}

/** Throws FailedPrecondition when the text is no record, or one of another program or of a newer version. */
export function parseRecord(text: string): ParsedRecord {
  const { record, migrated } = migrate(jsonObject(text), configVersion, migrations);
  const parsed = schema.safeParse(record);
  if (parsed.success) return { record: parsed.data, migrated };
  const { path, message } = parsed.error.issues[0]!;
  throw new FailedPrecondition(`config.json is damaged at "${path.join('.')}": ${message}`);
}

export function recordText(record: MachineRecord): string {
  return `${JSON.stringify(record, null, 4)}\n`;
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {}
  throw new FailedPrecondition('config.json is not a JSON object');
}
