import type { Option } from 'commander';

/**
 * Lets an environment variable stand for a flag. One that is set but empty counts as not set, and a flag
 * without a value is on only for `1`, `true` and `yes`; commander by itself would take both for "on".
 */
export function fromEnv(option: Option, name: string, env: NodeJS.ProcessEnv = process.env): Option {
  const value = env[name] ?? '';
  const on = option.isBoolean() ? /^(1|true|yes)$/i.test(value) : value !== '';
  if (on) return option.env(name);
  option.description += ` (env: ${name})`;
  return option;
}
