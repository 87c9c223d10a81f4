import { posix } from 'node:path';
import { expandWord } from '../builder/dockerfile/expand.ts';
import { InvalidParameter } from '../errors.ts';
import { parseHealthcheck } from './healthcheck.ts';
import type { ContainerDefaults } from './image.ts';

/** The others are for a shell, or are kept for a later build. */
const expanding = ['ENV', 'EXPOSE', 'LABEL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'];

type Draft = { -readonly [K in keyof ContainerDefaults]: ContainerDefaults[K] };

/** The instructions that `docker import --change` and `docker commit --change` take. */
const instructions: Readonly<Record<string, (config: Draft, rest: string, line: string) => void>> = {
  CMD: (config, rest) => {
    config.Cmd = command(rest);
  },
  ENTRYPOINT: (config, rest) => {
    config.Entrypoint = command(rest);
  },
  ENV: (config, rest, line) => {
    config.Env = mergeEnv(config.Env ?? [], pairs(rest, line));
  },
  EXPOSE: (config, rest, line) => {
    const ports = words(rest).map((word) => exposedPort(word, line));
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
  },
  HEALTHCHECK: (config, rest, line) => {
    config.Healthcheck = parseHealthcheck(rest, line);
  },
  LABEL: (config, rest, line) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairs(rest, line)) };
  },
  ONBUILD: (config, rest) => {
    config.OnBuild = [...(config.OnBuild ?? []), rest];
  },
  STOPSIGNAL: (config, rest) => {
    config.StopSignal = rest;
  },
  USER: (config, rest) => {
    config.User = rest;
  },
  VOLUME: (config, rest) => {
    const paths = jsonWords(rest) ?? words(rest);
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
  },
  WORKDIR: (config, rest) => {
    config.WorkingDir = posix.resolve('/', config.WorkingDir ?? '', rest);
  },
};

/** The configuration after some Dockerfile instructions. Throws InvalidParameter that shows the line. */
export function applyChanges(config: ContainerDefaults, lines: readonly string[]): ContainerDefaults {
  const draft: Draft = { ...config };
  for (const line of lines.flatMap((text) => text.split('\n'))) {
    const match = /^\s*([A-Za-z]+)\s+(.*\S)\s*$/.exec(line);
    const instruction = instructions[match?.[1]?.toUpperCase() ?? ''];
    if (line.trim() === '') continue;
    if (!match || !instruction) {
      throw new InvalidParameter(
        `invalid change ${JSON.stringify(line)}; expected one of ${Object.keys(instructions).join(', ')}`,
      );
    }
    instruction(draft, expanded(match[1]!, match[2]!, draft), line);
  }
  return draft;
}

/** Variables of the image itself, where a Dockerfile has them. */
function expanded(name: string, text: string, { Env }: Draft): string {
  if (!expanding.includes(name.toUpperCase())) return text;
  const values = new Map((Env ?? []).map((pair) => [pair.split('=', 1)[0]!, pair.replace(/^[^=]*=/, '')]));
  return expandWord(text, { mark: '\\', lookup: (variable) => values.get(variable), raw: true });
}

function command(text: string): readonly string[] {
  return jsonWords(text) ?? ['/bin/sh', '-c', text];
}

function jsonWords(text: string): readonly string[] | null {
  if (!text.startsWith('[')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : null;
  } catch {
    // As in a Dockerfile, what is no JSON is meant for the shell.
    return null;
  }
}

/** `a=1 b="two words"`, or the old `a the rest of the line`. */
function pairs(text: string, line: string): [string, string][] {
  const list = words(text);
  if (!list[0]?.includes('=')) {
    const [name, ...value] = text.split(/\s+/);
    if (!name || value.length === 0) throw new InvalidParameter(`invalid change ${JSON.stringify(line)}`);
    return [[name, text.slice(name.length).trim()]];
  }
  return list.map((word) => {
    const equals = word.indexOf('=');
    if (equals <= 0)
      throw new InvalidParameter(`invalid change ${JSON.stringify(line)}: "${word}" has no "="`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

/** Words as a Dockerfile has them: quotes group, a backslash takes the next character as it is. */
function words(text: string): string[] {
  const list: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\' && quote !== "'" && i + 1 < text.length) word = (word ?? '') + text[++i];
    else if (quote !== '') {
      if (char === quote) quote = '';
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== null) list.push(word);
      word = null;
    } else word = (word ?? '') + char;
  }
  if (word !== null) list.push(word);
  return list;
}

function mergeEnv(before: readonly string[], added: readonly [string, string][]): string[] {
  // In their places, as an instruction of a Dockerfile does.
  const values = new Map(before.map((pair) => [pair.split('=', 1)[0]!, pair]));
  for (const [name, value] of added) values.set(name, `${name}=${value}`);
  return [...values.values()];
}

function exposedPort(word: string, line: string): string {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(word);
  if (!match || Number(match[1]) > 65535) {
    throw new InvalidParameter(`invalid change ${JSON.stringify(line)}: "${word}" is no port`);
  }
  return `${Number(match[1])}/${(match[2] ?? 'tcp').toLowerCase()}`;
}
