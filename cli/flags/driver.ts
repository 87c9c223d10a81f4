import { type Command, Option } from 'commander';
import type { CreateRequest, Driver } from '../../drivers/driver.ts';
import { fromEnv } from './from-env.ts';

/** A driver's own flags of `machine create`. */
export function driverFlags({ name, options }: Driver): Option[] {
  return options.map(({ flag, value, description, default: preset, env }) => {
    const option = new Option(value === undefined ? `--${flag}` : `--${flag} <${value}>`, description);
    if (preset !== undefined) option.default(preset);
    if (env !== undefined) fromEnv(option, env);
    return option.helpGroup(`Options of driver ${name}:`);
  });
}

/** What the user gave for them, defaults filled in, by flag. */
export function driverValues({ options }: Driver, command: Command): CreateRequest['options'] {
  const given = options.flatMap(({ flag }) => {
    const value: unknown = command.getOptionValue(new Option(`--${flag}`).attributeName());
    return typeof value === 'string' || typeof value === 'boolean' ? [[flag, value] as const] : [];
  });
  return Object.fromEntries(given);
}
