import { InvalidParameter } from '../errors.ts';
import type { StampedEvent } from './bus.ts';

type Filters = ReadonlyMap<string, readonly string[]>;
type Rule = (event: StampedEvent, wanted: readonly string[]) => boolean;

/** An event passes when each filter that is given has a value that fits (moby, daemon/events/filter.go). */
const rules: Readonly<Record<string, Rule>> = {
  type: (event, wanted) => wanted.includes(event.type),
  // `exec_create` also means `exec_create: sh`.
  event: (event, wanted) =>
    wanted.some((word) => event.action === word || event.action.startsWith(`${word}:`)),
  label: (event, wanted) => wanted.every((label) => hasLabel(event.actor.attributes, label)),
  container: names,
  network: names,
  volume: names,
  daemon: names,
  // Of what this engine has none of: nothing has such a name.
  plugin: names,
  service: names,
  node: names,
  secret: names,
  config: names,
  image(event, wanted) {
    const { attributes, id } = event.actor;
    const name = (event.type === 'image' ? attributes.name : attributes.image) ?? '';
    return [id, name, withoutTag(id), withoutTag(name)].some((word) => wanted.includes(word));
  },
  // All events are of this host.
  scope: (_event, wanted) => wanted.includes('local'),
};

/** Throws InvalidParameter for a filter that does not exist. */
export function eventFilter(filters: Filters): (event: StampedEvent) => boolean {
  const unknown = [...filters.keys()].find((name) => !(name in rules));
  if (unknown !== undefined) throw new InvalidParameter(`invalid filter '${unknown}'`);
  const active = [...filters].filter(([, wanted]) => wanted.length > 0);
  return (event) => active.every(([name, wanted]) => rules[name]!(event, wanted));
}

/** By the beginning of an id or a name. */
function names(event: StampedEvent, wanted: readonly string[]): boolean {
  const { attributes, id } = event.actor;
  return wanted.some((word) => id.startsWith(word) || (attributes.name ?? '').startsWith(word));
}

/** `key` or `key=value`. */
function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const [key = '', ...value] = wanted.split('=');
  if (!Object.hasOwn(labels, key)) return false;
  return value.length === 0 || labels[key] === value.join('=');
}

function withoutTag(name: string): string {
  return name.replace(/:[^:/]*$/, '');
}
