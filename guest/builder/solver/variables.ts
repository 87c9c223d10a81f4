import { formatPlatform, hostPlatform, type Platform } from '../../images/platform.ts';
import type { BuildRequest } from '../build.ts';
import { type ExpandOptions, ExpansionError, expandWord, expandWords } from '../dockerfile/expand.ts';
import type { ArgInstruction } from '../dockerfile/instruction.ts';
import { parseError } from '../dockerfile/parse-error.ts';
import type { LineRange } from '../line-range.ts';

/** Arguments that need no ARG, are seen by RUN, and change nothing about what is cached. */
const proxyNames = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];
const proxies = proxyNames.flatMap((name) => [name, name.toLowerCase()]);

/** `TARGETPLATFORM` and its like: global arguments that an ARG without a value brings into a stage. */
export function platformArgs(target: Platform, targetStage: string): ReadonlyMap<string, string> {
  const of = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
  return new Map([...of('BUILD', hostPlatform), ...of('TARGET', target), ['TARGETSTAGE', targetStage]]);
}

/** The ARGs before the first FROM, which FROM lines see and an ARG without a value takes up. */
export class GlobalArgs {
  readonly #given: BuildRequest['buildArgs'];
  readonly #platform: ReadonlyMap<string, string>;
  readonly #declared = new Map<string, string | undefined>();
  readonly #mark: string;

  constructor(
    args: readonly ArgInstruction[],
    options: {
      readonly given: BuildRequest['buildArgs'];
      readonly platform: ReadonlyMap<string, string>;
      readonly mark: string;
    },
  ) {
    this.#given = options.given;
    this.#platform = options.platform;
    this.#mark = options.mark;
    for (const { args: list, range } of args) {
      for (const { name, value } of list) {
        // The default of what is given is not looked at: it may not expand.
        const own = () => (value === null ? undefined : this.expand(value, range));
        this.#declared.set(name, options.given[name] ?? own() ?? this.#platform.get(name));
      }
    }
  }

  lookup(name: string): string | undefined {
    return this.#declared.has(name) ? this.#declared.get(name) : this.#platform.get(name);
  }

  /** A word of a FROM line. Throws BuildError. */
  expand(word: string, range: LineRange, more: Pick<ExpandOptions, 'onUnset'> = {}): string {
    return located(range, word, () =>
      expandWord(word, { mark: this.#mark, lookup: (name) => this.lookup(name), ...more }),
    );
  }

  names(): string[] {
    return [...this.#platform.keys(), ...this.#declared.keys()];
  }

  /** What an ARG of a stage is, when its own line gives no value. */
  inherited(name: string): string | undefined {
    return this.#given[name] ?? this.lookup(name);
  }

  /** Of the proxy arguments, those that were given; in capital and in small letters, as programs differ in which they read. */
  proxies(): [string, string][] {
    return proxyNames.flatMap((upper): [string, string][] => {
      const lower = upper.toLowerCase();
      const values = [this.#given[upper] ?? this.#given[lower], this.#given[lower] ?? this.#given[upper]];
      return [upper, lower].flatMap((name, i): [string, string][] =>
        typeof values[i] === 'string' ? [[name, values[i]]] : [],
      );
    });
  }

  given(name: string): string | undefined {
    return this.#given[name] ?? undefined;
  }

  /** Given, and declared nowhere before the first FROM. */
  isDeclared(name: string): boolean {
    return this.#declared.has(name) || this.#platform.has(name) || proxies.includes(name);
  }
}

/** What a stage's words may refer to: its ARGs so far, and over them its ENV. */
export class StageScope {
  readonly #globals: GlobalArgs;
  readonly #mark: string;
  readonly args: Map<string, string>;
  env: readonly string[];

  constructor(
    globals: GlobalArgs,
    options: {
      readonly mark: string;
      readonly env: readonly string[];
      readonly args?: ReadonlyMap<string, string>;
    },
  ) {
    this.#globals = globals;
    this.#mark = options.mark;
    this.env = options.env;
    this.args = new Map(options.args);
  }

  declare({ args, range }: ArgInstruction): [string, string | undefined][] {
    return args.map(({ name, value }): [string, string | undefined] => {
      const own = () => (value === null ? undefined : this.expand(value, range));
      const result = this.#globals.given(name) ?? own() ?? this.#globals.inherited(name);
      if (result !== undefined) this.args.set(name, result);
      return [name, result];
    });
  }

  lookup = (name: string): string | undefined => {
    const pair = this.env.find((entry) => entry.startsWith(`${name}=`));
    return pair?.slice(name.length + 1) ?? this.args.get(name);
  };

  /** Of all that words may refer to. */
  names(): string[] {
    return [...this.args.keys(), ...this.env.map((entry) => entry.split('=')[0]!)];
  }

  expand(word: string, range: LineRange, more: Partial<ExpandOptions> = {}): string {
    return located(range, word, () => expandWord(word, { mark: this.#mark, lookup: this.lookup, ...more }));
  }

  expandAll(words: readonly string[], range: LineRange): string[] {
    return words.flatMap((word) =>
      located(range, word, () => expandWords(word, { mark: this.#mark, lookup: this.lookup })),
    );
  }

  /** For a program: ARGs and, over them, ENV; proxies, which are part of no key, apart. */
  environment(): { readonly env: string[]; readonly args: string[]; readonly proxies: string[] } {
    const isEnv = (name: string) => this.env.some((entry) => entry.startsWith(`${name}=`));
    const args = [...this.args].filter(([name]) => !isEnv(name)).map(([name, value]) => `${name}=${value}`);
    const given = this.#globals
      .proxies()
      .filter(([name]) => !isEnv(name) && !this.args.has(name))
      .map(([name, value]) => `${name}=${value}`);
    const plain = args.filter((entry) => !proxies.includes(entry.split('=')[0]!));
    const declared = args.filter((entry) => proxies.includes(entry.split('=')[0]!));
    return { env: [...this.env], args: plain, proxies: [...given, ...declared] };
  }
}

function located<T>(range: LineRange, word: string, expand: () => T): T {
  try {
    return expand();
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    throw parseError(range, `failed to process ${JSON.stringify(word)}: ${error.message}`, { cause: error });
  }
}
