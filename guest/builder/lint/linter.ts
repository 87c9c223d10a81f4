import { BuildError } from '../build-error.ts';
import { type LintOptions, lintOptions } from './lint-options.ts';
import type { Finding, Report } from './rules.ts';

/** Gathers what the rules find, less what the Dockerfile's author wants to hear nothing of. */
export class Linter {
  readonly #options: LintOptions;
  readonly #tell: (finding: Finding) => void;
  readonly findings: Finding[] = [];

  /**
   * Throws BuildError.
   *
   * @param check text of the options; null = all rules, and none fails the build
   */
  constructor(check: string | null, tell: (finding: Finding) => void = () => {}) {
    this.#options = lintOptions(check);
    this.#tell = tell;
  }

  readonly report: Report = (rule, range, detail) => {
    const { skipped } = this.#options;
    if (skipped === 'all' || skipped.has(rule)) return;
    const finding = { rule, detail, range };
    this.findings.push(finding);
    this.#tell(finding);
  };

  /** Throws BuildError when something was found that is to fail the build. */
  finish(): void {
    const [first] = this.findings;
    if (!this.#options.fails || !first) return;
    const names = [...new Set(this.findings.map(({ rule }) => rule))];
    throw new BuildError(`lint violation found for rules: ${names.join(', ')}`, { range: first.range });
  }
}
