import { InvalidParameter } from '../errors.ts';
import { maxAttributeBytes } from './local-format.ts';
import type { LogAttributes } from './log-entry.ts';

/** What the options may ask for of a container. */
export interface LoggedContainer {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  readonly imageName: string;
  readonly command: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly env: readonly string[];
}

/**
 * By `labels`, `labels-regex`, `env`, `env-regex` and `tag`; null when there are none. Throws InvalidParameter
 * for what cannot be understood.
 */
export function logAttributes(
  options: Readonly<Record<string, string>>,
  container: LoggedContainer,
): LogAttributes | null {
  const env = Object.fromEntries(
    container.env.filter((entry) => entry.includes('=')).map((entry) => splitOnce(entry)),
  );
  const attributes = {
    ...chosen(container.labels, options.labels, options['labels-regex']),
    ...chosen(env, options.env, options['env-regex']),
    ...(options.tag ? { tag: renderTag(options.tag, container) } : {}),
  };
  if (Object.keys(attributes).length === 0) return null;
  if (Buffer.byteLength(JSON.stringify(attributes)) > maxAttributeBytes)
    throw new InvalidParameter('the labels and variables that the log options name are too long together');
  return attributes;
}

function chosen(
  values: Readonly<Record<string, string>>,
  names: string | undefined,
  pattern: string | undefined,
): Record<string, string> {
  const listed = new Set(names?.split(','));
  const matching = pattern ? parsePattern(pattern) : null;
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => listed.has(name) || matching?.test(name)),
  );
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (cause) {
    throw new InvalidParameter(`invalid regular expression in the log options: ${text}`, { cause });
  }
}

function splitOnce(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return [entry.slice(0, at), entry.slice(at + 1)];
}

/** The fields of Docker's "Customize log driver output"; other template language is refused. */
function renderTag(template: string, container: LoggedContainer): string {
  const short = (id: string) => id.replace(/^sha256:/, '').slice(0, 12);
  const fields: Readonly<Record<string, string>> = {
    ID: short(container.id),
    FullID: container.id,
    Name: container.name,
    ImageID: short(container.imageId),
    ImageFullID: container.imageId,
    ImageName: container.imageName,
    Command: container.command.join(' '),
    DaemonName: 'docker',
  };
  return template.replaceAll(/\{\{(.*?)\}\}/g, (_, inner: string) => {
    const value = fields[/^\s*\.(\w+)\s*$/.exec(inner)?.[1] ?? ''];
    if (value === undefined) {
      const known = Object.keys(fields).map((name) => `{{.${name}}}`);
      throw new InvalidParameter(`invalid log opt tag '${template}'; it may hold ${known.join(' ')}`);
    }
    return value;
  });
}
