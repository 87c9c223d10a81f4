import { type FlagKind, Flags, splitFlags } from './flags.ts';
import { parseHealth } from './health.ts';
import type { Command, Instruction, Located, Pair } from './instruction.ts';
import type { Node } from './nodes.ts';
import { parseError, suggestion } from './parse-error.ts';
import { jsonWords, plainWords, splitWords } from './words.ts';

interface Reading {
  readonly node: Node;
  readonly name: string;
  /** What follows the flags. */
  readonly rest: string;
  readonly flags: Flags;
  readonly mark: string;
  readonly located: Located;
}

interface Reader {
  readonly flags: Readonly<Record<string, FlagKind>>;
  readonly read: (reading: Reading) => Instruction;
}

const copyFlags = {
  from: 'text',
  chown: 'text',
  chmod: 'text',
  link: 'boolean',
  parents: 'boolean',
  exclude: 'list',
} as const;
const addFlags = {
  chown: 'text',
  chmod: 'text',
  link: 'boolean',
  exclude: 'list',
  checksum: 'text',
  'keep-git-dir': 'boolean',
  unpack: 'boolean',
} as const;
const healthFlags = {
  interval: 'text',
  timeout: 'text',
  'start-period': 'text',
  'start-interval': 'text',
  retries: 'text',
} as const;

const readers: Readonly<Record<string, Reader>> = {
  ADD: { flags: addFlags, read: (reading) => readCopy(reading, 'add') },
  ARG: { flags: {}, read: readArg },
  CMD: { flags: {}, read: (r) => ({ ...r.located, kind: 'cmd', command: commandOf(r.rest) }) },
  COPY: { flags: copyFlags, read: (reading) => readCopy(reading, 'copy') },
  ENTRYPOINT: { flags: {}, read: (r) => ({ ...r.located, kind: 'entrypoint', command: commandOf(r.rest) }) },
  ENV: { flags: {}, read: (r) => ({ ...r.located, kind: 'env', pairs: pairsOf(r) }) },
  EXPOSE: {
    flags: {},
    read: (r) => ({ ...r.located, kind: 'expose', words: atLeastOne(r, plainWords(r.rest)) }),
  },
  FROM: { flags: { platform: 'text' }, read: readFrom },
  HEALTHCHECK: {
    flags: healthFlags,
    read: (r) => ({ ...r.located, kind: 'healthcheck', healthcheck: parseHealth(r.rest, r.flags) }),
  },
  LABEL: { flags: {}, read: (r) => ({ ...r.located, kind: 'label', pairs: pairsOf(r) }) },
  MAINTAINER: { flags: {}, read: (r) => ({ ...r.located, kind: 'maintainer', value: exactlyOne(r) }) },
  ONBUILD: { flags: {}, read: readOnbuild },
  RUN: { flags: { mount: 'list', network: 'text', security: 'text' }, read: readRun },
  SHELL: { flags: {}, read: readShell },
  STOPSIGNAL: { flags: {}, read: (r) => ({ ...r.located, kind: 'stopsignal', value: exactlyOne(r) }) },
  USER: { flags: {}, read: (r) => ({ ...r.located, kind: 'user', value: exactlyOne(r) }) },
  VOLUME: { flags: {}, read: readVolume },
  WORKDIR: { flags: {}, read: (r) => ({ ...r.located, kind: 'workdir', value: exactlyOne(r) }) },
};

/** Throws BuildError in docker's words. */
export function instruct(node: Node, mark: string): Instruction {
  const name = node.keyword.toUpperCase();
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
  if (!reader) {
    const words = Object.keys(readers);
    const isSmall = node.keyword === node.keyword.toLowerCase();
    const hint = suggestion(node.keyword, isSmall ? words.map((word) => word.toLowerCase()) : words);
    throw parseError(node.range, `unknown instruction: ${node.keyword}${hint}`);
  }
  const { flags, rest } = splitFlags(node.rest, mark);
  try {
    const located = { keyword: name, text: node.text, range: node.range };
    return reader.read({ node, name, rest, flags: new Flags(flags, reader.flags), mark, located });
  } catch (error) {
    throw parseError(node.range, (error as Error).message, { cause: error });
  }
}

function readFrom({ rest, flags, located }: Reading): Instruction {
  const words = plainWords(rest);
  const name = words.length === 3 && words[1]!.toLowerCase() === 'as' ? words[2]!.toLowerCase() : null;
  if (words.length !== 1 && name === null) throw new Error('FROM requires either one or three arguments');
  if (name !== null && !/^[a-z][a-z0-9-_.]*$/.test(name)) {
    throw new Error(
      `invalid name for build stage: "${words[2]}", name can't start with a number or contain symbols`,
    );
  }
  return { ...located, kind: 'from', base: words[0]!, name, platform: flags.text('platform') ?? null };
}

function readArg(reading: Reading): Instruction {
  const words = atLeastOne(reading, splitWords(reading.rest, reading.mark));
  const args = words.map((word) => {
    const equals = word.indexOf('=');
    if (equals === 0) throw new Error('ARG names can not be blank');
    return equals < 0
      ? { name: word, value: null }
      : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  return { ...reading.located, kind: 'arg', args };
}

function readRun({ rest, flags, located, node, name }: Reading): Instruction {
  const network = flags.text('network') ?? null;
  if (network !== null && !['default', 'none', 'host'].includes(network))
    throw new Error(`invalid network mode: "${network}"`);
  const security = flags.text('security') ?? null;
  if (security !== null && !['insecure', 'sandbox'].includes(security))
    throw new Error(`security "${security}" is not valid`);
  const command = commandOf(rest);
  if (node.heredocs.length > 0 && !command.shell)
    throw new Error('RUN in JSON form takes no heredoc; write the command as plain text');
  if (command.words.length === 0 || (command.shell && command.words[0] === ''))
    throw new Error(`${name} requires at least one argument`);
  return {
    ...located,
    kind: 'run',
    command,
    heredocs: node.heredocs,
    mounts: flags.list('mount'),
    network,
    security,
  };
}

function readCopy({ rest, flags, located, node, name, mark }: Reading, kind: 'copy' | 'add'): Instruction {
  const words = jsonWords(rest) ?? splitWords(rest, mark);
  if (words.length === 0) throw new Error(`${name} requires at least two arguments`);
  if (words.length === 1) {
    throw new Error(
      `${name} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  return {
    ...located,
    kind,
    sources: words.slice(0, -1),
    heredocs: node.heredocs,
    destination: words.at(-1)!,
    from: flags.text('from') ?? null,
    chown: flags.text('chown') ?? null,
    chmod: flags.text('chmod') ?? null,
    link: flags.flag('link'),
    parents: flags.flag('parents'),
    excludes: flags.list('exclude'),
    checksum: flags.text('checksum') ?? null,
    keepGitDir: flags.flag('keep-git-dir'),
    unpack: flags.text('unpack') === undefined ? null : flags.flag('unpack'),
  };
}

function readShell({ rest, located, name }: Reading): Instruction {
  const words = jsonWords(rest);
  if (!words && rest !== '') throw new Error(`${name} requires the arguments to be in JSON form`);
  if (!words || words.length === 0) throw new Error(`${name} requires at least one argument`);
  return { ...located, kind: 'shell', words };
}

function readVolume(reading: Reading): Instruction {
  const words = atLeastOne(reading, jsonWords(reading.rest) ?? plainWords(reading.rest));
  if (words.some((word) => word.trim() === ''))
    throw new Error('VOLUME specified can not be an empty string');
  return { ...reading.located, kind: 'volume', words };
}

function readOnbuild(reading: Reading): Instruction {
  const { rest, name, located, node, mark } = reading;
  if (rest === '') throw new Error(`${name} requires at least one argument`);
  const trigger = /^\S+/.exec(rest)![0].toUpperCase();
  if (trigger === 'ONBUILD') throw new Error("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger === 'FROM' || trigger === 'MAINTAINER')
    throw new Error(`${trigger} isn't allowed as an ONBUILD trigger`);
  const keyword = /^\S+/.exec(node.rest)![0];
  const own: Node = { ...node, keyword, rest: node.rest.slice(keyword.length).trimStart(), text: node.rest };
  instructTrigger(own, mark);
  const documents = node.heredocs.map(({ raw, name: end }) => `\n${raw}${end}`).join('');
  return { ...located, kind: 'onbuild', trigger: node.rest + documents };
}

/** A trigger that is wrong is told of now, with its own message. */
function instructTrigger(node: Node, mark: string): void {
  try {
    instruct(node, mark);
  } catch (error) {
    throw new Error((error as Error).message.replace(/^dockerfile parse error on line \d+: /, ''));
  }
}

function commandOf(rest: string): Command {
  const words = jsonWords(rest);
  return words ? { shell: false, words } : { shell: true, words: [rest] };
}

function atLeastOne({ name }: Reading, words: readonly string[]): readonly string[] {
  if (words.length === 0) throw new Error(`${name} requires at least one argument`);
  return words;
}

function exactlyOne({ name, rest }: Reading): string {
  if (rest === '') throw new Error(`${name} requires exactly one argument`);
  return rest;
}

/** `a=1 b="two words"`, or the old `a the rest of the line`. Values keep their quotes: they are expanded later. */
function pairsOf({ name, rest, mark }: Reading): Pair[] {
  const words = splitWords(rest, mark);
  if (words.length === 0) throw new Error(`${name} requires at least one argument`);
  if (!words[0]!.includes('=')) {
    const match = /^(\S+)\s+([\s\S]+)$/.exec(rest);
    if (!match) throw new Error(`${name} must have two arguments`);
    return [[match[1]!, match[2]!]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0)
      throw new Error(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    if (equals === 0) throw new Error(`${name} names can not be blank`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}
