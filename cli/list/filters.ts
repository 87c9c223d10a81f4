import { InvalidArgument } from '../../drivers/errors.ts';
import type { ListedMachine } from './list-machines.ts';

type Test = (machine: ListedMachine, value: string) => boolean;

const tests: Readonly<Record<string, Test>> = {
  swarm: ({ Swarm }, value) => Swarm === value,
  driver: ({ DriverName }, value) => DriverName === value,
  state: ({ State }, value) => State.toLowerCase() === value.toLowerCase(),
  name: ({ Name }, value) => pattern(value).test(Name),
  label: ({ EngineOptions }, value) => EngineOptions?.Labels.includes(value) ?? false,
};

/**
 * `KEY=VALUE` filters: of those with the same key one must hold, of different keys all. Throws
 * InvalidArgument for an unknown key or a bad expression.
 */
export function parseFilters(filters: readonly string[]): (machine: ListedMachine) => boolean {
  const wanted = filters.map(splitFilter);
  const keys = [...new Set(wanted.map(([key]) => key))];
  for (const [key, value] of wanted) if (key === 'name') pattern(value);
  return (machine) =>
    keys.every((key) => wanted.some(([k, value]) => k === key && tests[key]!(machine, value)));
}

function splitFilter(filter: string): [key: string, value: string] {
  const at = filter.indexOf('=');
  const key = filter.slice(0, Math.max(at, 0)).trim().toLowerCase();
  if (!Object.hasOwn(tests, key))
    throw new InvalidArgument(
      `unsupported filter "${filter}"; there are ${Object.keys(tests)
        .map((k) => `${k}=…`)
        .join(', ')}`,
    );
  return [key, filter.slice(at + 1).trim()];
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new InvalidArgument(`"${text}" is not a regular expression`, { cause });
  }
}
