/**
 * Logs are events with fields, one JSON object a line on stderr, the English second. In a guest, stderr is
 * the console log, which the host keeps bounded; nothing is logged per request unless it failed.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export type LogFields = Readonly<Record<string, unknown>>;

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

export function createLogger(options: {
  readonly level: LogLevel;
  readonly write: (line: string) => void;
}): Logger {
  const threshold = levels.indexOf(options.level);
  const at = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (levels.indexOf(level) < threshold) return;
    options.write(`${JSON.stringify({ time: new Date(), level, ...plain(fields), message })}\n`);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** An Error has no own enumerable fields, so it would be logged as `{}`. */
function plain(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? (value.stack ?? value.message) : value,
    ]),
  );
}

/** For tests and tools that want silence. */
export const noLog: Logger = { debug() {}, info() {}, warn() {}, error() {} };
