import { BuildError } from '../build-error.ts';

/** `skip=RULE,RULE;error=true`, of a line `# check=` or the argument BUILDKIT_DOCKERFILE_CHECK. */
export interface LintOptions {
  readonly skipped: 'all' | ReadonlySet<string>;
  /** What is found fails the build. */
  readonly fails: boolean;
}

/** Throws BuildError. */
export function lintOptions(text: string | null): LintOptions {
  let skipped: LintOptions['skipped'] = new Set();
  let fails = false;
  const given = text?.trim() ?? '';
  for (const part of given === '' ? [] : given.split(';')) {
    const equals = part.indexOf('=');
    if (equals < 0) throw new BuildError(`failed to parse check options: invalid check option "${part}"`);
    const [name, value] = [part.slice(0, equals).trim(), part.slice(equals + 1).trim()];
    if (name === 'skip')
      skipped = value === 'all' ? 'all' : new Set(value.split(',').map((one) => one.trim()));
    else if (name === 'error' && /^(?:1|0|t|f|true|false)$/i.test(value)) fails = /^[1t]/i.test(value);
    else throw new BuildError(`failed to parse check options: invalid check option "${part.trim()}"`);
  }
  return { skipped, fails };
}
