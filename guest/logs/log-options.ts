import { InvalidParameter } from '../errors.ts';

export interface LogOptions {
  readonly driver: 'json-file' | 'none';
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** Bounded by default: logs must never fill the disk. */
const defaults: LogOptions = { driver: 'json-file', maxBytes: 10_000_000, maxFiles: 3 };

const units: Readonly<Record<string, number>> = { '': 1, k: 1000, m: 1000 ** 2, g: 1000 ** 3 };

/** `--log-driver` and `--log-opt`. Throws InvalidParameter for what is not known. */
export function parseLogOptions(driver: string, options: Readonly<Record<string, string>>): LogOptions {
  const names = Object.keys(options);
  if (driver === 'none') return { ...defaults, driver };
  if (driver !== 'json-file' && driver !== '')
    throw new InvalidParameter(`logger: no log driver named '${driver}' is registered`);
  const unknown = names.find((name) => name !== 'max-size' && name !== 'max-file');
  if (unknown) throw new InvalidParameter(`unknown log opt '${unknown}' for json-file log driver`);
  const size = /^(\d+)([kmg]?)b?$/i.exec(options['max-size'] ?? `${defaults.maxBytes}`);
  if (!size || Number(size[1]) === 0)
    throw new InvalidParameter(`invalid max-size "${options['max-size']}"; expected such as 10m`);
  const files = options['max-file'] ?? `${defaults.maxFiles}`;
  if (!/^[1-9]\d{0,3}$/.test(files)) throw new InvalidParameter('max-file cannot be less than 1');
  return {
    driver: 'json-file',
    maxBytes: Number(size[1]) * units[size[2]!.toLowerCase()]!,
    maxFiles: Number(files),
  };
}
