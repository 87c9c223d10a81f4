import { posix } from 'node:path';
import { parseSignal } from '../../containers/signals.ts';
import type { Instruction, Pair } from '../dockerfile/instruction.ts';
import { parseError } from '../dockerfile/parse-error.ts';
import type { ImageDraft } from './image-draft.ts';
import type { StageScope } from './variables.ts';

export const defaultShell: readonly string[] = ['/bin/sh', '-c'];

/**
 * Does an instruction that changes nothing but the configuration; returns what the history says of it, or null when it
 * is of another kind. Throws BuildError.
 */
export function configStep(
  instruction: Instruction,
  draft: ImageDraft,
  scope: StageScope,
  commands: { cmdSet: boolean },
): string | null {
  const { config } = draft;
  const { range, keyword } = instruction;
  switch (instruction.kind) {
    case 'arg': {
      const declared = scope.declare(instruction);
      return `ARG ${declared.map(([name, value]) => (value === undefined ? name : `${name}=${value}`)).join(' ')}`;
    }
    case 'env': {
      const pairs = expandPairs(instruction.pairs, scope, range);
      config.Env = mergeEnv(config.Env ?? [], pairs);
      scope.env = config.Env;
      return `ENV ${shown(pairs)}`;
    }
    case 'label': {
      const pairs = expandPairs(instruction.pairs, scope, range);
      config.Labels = { ...config.Labels, ...Object.fromEntries(pairs) };
      return `LABEL ${shown(pairs)}`;
    }
    case 'maintainer':
      draft.author = instruction.value;
      return `MAINTAINER ${instruction.value}`;
    case 'cmd': {
      config.Cmd = commandWords(instruction.command, draft);
      commands.cmdSet = true;
      return `CMD ${quotedList(config.Cmd)}`;
    }
    case 'entrypoint': {
      config.Entrypoint = commandWords(instruction.command, draft);
      // The base image's command was meant for its own entry point.
      if (!commands.cmdSet) config.Cmd = null;
      return `ENTRYPOINT ${quotedList(config.Entrypoint)}`;
    }
    case 'shell':
      config.Shell = instruction.words;
      return `SHELL [${instruction.words.join(' ')}]`;
    case 'user':
      config.User = scope.expand(instruction.value, range);
      return `USER ${config.User}`;
    case 'stopsignal': {
      const signal = scope.expand(instruction.value, range);
      try {
        parseSignal(signal);
      } catch (cause) {
        throw parseError(range, `invalid signal: ${signal}`, { cause });
      }
      config.StopSignal = signal;
      return `STOPSIGNAL ${signal}`;
    }
    case 'healthcheck':
      config.Healthcheck = instruction.healthcheck;
      return instruction.text;
    case 'onbuild':
      config.OnBuild = [...(config.OnBuild ?? []), instruction.trigger];
      return `ONBUILD ${instruction.trigger}`;
    case 'expose': {
      const ports = scope.expandAll(instruction.words, range).flatMap((word) => {
        const list = exposedPorts(word);
        if (!list) throw parseError(range, `invalid containerPort: ${word}`);
        return list;
      });
      config.ExposedPorts = {
        ...config.ExposedPorts,
        ...Object.fromEntries(ports.map((port) => [port, {}])),
      };
      // As Go writes a map: sorted, so that the order says nothing.
      return `EXPOSE map[${[...new Set(ports)]
        .sort()
        .map((port) => `${port}:{}`)
        .join(' ')}]`;
    }
    case 'volume': {
      const paths = instruction.words.map((word) => scope.expand(word, range));
      if (paths.includes('')) throw parseError(range, 'VOLUME specified can not be an empty string');
      config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
      return `VOLUME [${paths.join(' ')}]`;
    }
    case 'workdir': {
      const path = scope.expand(instruction.value, range);
      config.WorkingDir = posix.resolve('/', config.WorkingDir || '/', path);
      return null;
    }
    default:
      void keyword;
      return null;
  }
}

function expandPairs(pairs: readonly Pair[], scope: StageScope, range: Instruction['range']): Pair[] {
  // All of one instruction see what was before it.
  return pairs.map(([name, value]): Pair => [scope.expand(name, range), scope.expand(value, range)]);
}

function commandWords(
  { shell, words }: { readonly shell: boolean; readonly words: readonly string[] },
  draft: ImageDraft,
): string[] {
  return shell ? [...(draft.config.Shell ?? defaultShell), ...words] : [...words];
}

/** `80`, `80/udp`, `8000-8010/tcp`; null for what is none. */
export function exposedPorts(word: string): string[] | null {
  const match = /^(?:[\w.:]*:)?(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (!match || last > 65535 || last < first) return null;
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`);
}

export function mergeEnv(before: readonly string[], added: readonly Pair[]): string[] {
  const result = [...before];
  for (const [name, value] of added) {
    const at = result.findIndex((entry) => entry.startsWith(`${name}=`));
    if (at < 0) result.push(`${name}=${value}`);
    else result[at] = `${name}=${value}`;
  }
  return result;
}

function shown(pairs: readonly Pair[]): string {
  return pairs.map(([name, value]) => `${name}=${value}`).join(' ');
}

function quotedList(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
}
