import { InvalidParameter } from '../errors.ts';
import { jsonFormat } from './json-format.ts';
import { localFormat } from './local-format.ts';
import type { LogFormat } from './log-entry.ts';

export const logDrivers = ['json-file', 'local', 'none'] as const;

/** How a container's log is kept. */
export interface LogOptions {
  readonly driver: 'json-file' | 'local';
  readonly format: LogFormat;
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly compress: boolean;
}

/** Bounded by default: logs must never fill the disk. Docker's own bounds for `local`. */
const defaults: Readonly<Record<'json-file' | 'local', LogOptions>> = {
  'json-file': { driver: 'json-file', format: jsonFormat, maxBytes: 10e6, maxFiles: 3, compress: false },
  local: { driver: 'local', format: localFormat, maxBytes: 20 * 1024 * 1024, maxFiles: 5, compress: true },
};

/** Beside the bounds: what is told of the container with each line (log-attributes.ts), and how writes wait. */
const otherNames = ['labels', 'labels-regex', 'env', 'env-regex', 'tag', 'mode', 'max-buffer-size'];

/** What dockerd has, and this engine has not. */
const dockerdsDrivers = ['awslogs', 'fluentd', 'gcplogs', 'gelf', 'journald', 'splunk', 'syslog'];

/**
 * `--log-driver` and `--log-opt`. Null for `none`, which takes any option, as with dockerd. Throws
 * InvalidParameter for what is not known.
 */
export function parseLogOptions(
  driver: string,
  options: Readonly<Record<string, string>>,
): LogOptions | null {
  if (driver === 'none') return null;
  const found = Object.hasOwn(defaults, driver) ? defaults[driver as keyof typeof defaults] : undefined;
  if (!found)
    throw new InvalidParameter(
      dockerdsDrivers.includes(driver)
        ? `logger: no log driver named '${driver}' is registered`
        : `error looking up logging plugin ${driver}: plugin ${JSON.stringify(driver)} not found`,
    );
  checkMode(options);
  const unknown = Object.keys(options).find(
    (name) => !['max-size', 'max-file', 'compress', ...otherNames].includes(name),
  );
  if (unknown) {
    const place = driver === 'json-file' ? 'for json-file log driver' : `for log driver ${driver}`;
    throw new InvalidParameter(`unknown log opt '${unknown}' ${place}`);
  }
  const maxFiles = parseCount(options['max-file']) ?? found.maxFiles;
  const compress = parseBoolean(options.compress) ?? found.compress;
  if (compress && maxFiles < 2) {
    throw new InvalidParameter(
      driver === 'json-file'
        ? 'compress cannot be true when max-file is less than 2 or max-size is not set'
        : 'compression cannot be enabled when max file count is 1; add --log-opt compress=false',
    );
  }
  return { ...found, maxBytes: parseSize(options['max-size']) ?? found.maxBytes, maxFiles, compress };
}

/**
 * Neither mode has a container wait for its log: the spool on the disk takes what it says. So `non-blocking` is how it
 * is, and its buffer, which drops what is too much, is never needed.
 */
function checkMode(options: Readonly<Record<string, string>>): void {
  const { mode = '' } = options;
  if (!['', 'blocking', 'non-blocking'].includes(mode))
    throw new InvalidParameter(`logger: logging mode not supported: ${mode}`);
  const size = options['max-buffer-size'];
  if (size === undefined) return;
  if (mode !== 'non-blocking')
    throw new InvalidParameter("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  if (bytesOf(size) === null)
    throw new InvalidParameter(`error parsing option max-buffer-size: invalid size: '${size}'`);
}

const units = ['', 'k', 'm', 'g', 't', 'p'];

/** Decimal, as go-units' FromHumanSize: 10m = 10 000 000. Null for what is no size. */
function bytesOf(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  return parts && Math.floor(Number(parts[1]) * 1000 ** units.indexOf(parts[2]!.toLowerCase()));
}

function parseSize(text: string | undefined): number | null {
  if (text === undefined) return null;
  const bytes = bytesOf(text) ?? 0;
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw new InvalidParameter(`invalid max-size '${text}': max-size must be a positive number such as 10m`);
  return bytes;
}

function parseCount(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,4}$/.test(text)) throw new InvalidParameter(`invalid max-file '${text}': expected a number`);
  if (Number(text) < 1) throw new InvalidParameter('max-file cannot be less than 1');
  return Number(text);
}

/** As Go's strconv.ParseBool. */
function parseBoolean(text: string | undefined): boolean | null {
  if (text === undefined) return null;
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new InvalidParameter(`invalid compress '${text}': expected true or false`);
}
