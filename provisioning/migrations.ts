import { FailedPrecondition } from '../drivers/errors.ts';

/** Brings a record of version `from` to `from + 1`; gets and gives everything but `ConfigVersion`'s new value. */
export interface Migration {
  readonly from: number;
  migrate(record: Fields): Fields;
}

type Fields = Readonly<Record<string, unknown>>;

/** In order, one for each version since the first of ours; never changed once released. */
export const migrations: readonly Migration[] = [];

/** The first version of this program's; those below were docker-machine's. */
const firstVersion = 4;

/** Throws FailedPrecondition for a version that is not ours or not known yet. */
export function migrate(
  record: Fields,
  version: number,
  steps: readonly Migration[],
): { readonly record: Fields; readonly migrated: boolean } {
  const from = record.ConfigVersion;
  if (typeof from !== 'number' || !Number.isInteger(from))
    throw new FailedPrecondition('config.json has no ConfigVersion');
  if (from > version)
    throw new FailedPrecondition(
      `config version is from the future: ${from}, while this machine knows up to ${version}; upgrade machine`,
    );
  if (from < firstVersion)
    throw new FailedPrecondition(
      `config version ${from} is docker-machine's own; use docker-machine for it, and another MACHINE_STORAGE_PATH here`,
    );
  const migrated = steps
    .filter((step) => step.from >= from)
    .reduce<Fields>((r, step) => ({ ...step.migrate(r), ConfigVersion: step.from + 1 }), record);
  return { record: migrated, migrated: from < version };
}
