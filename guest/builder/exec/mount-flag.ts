import type { Sharing } from '../cache/mount-store.ts';
import { sharingModes } from '../cache/mount-store.ts';

/** `RUN --mount=…`, its variables expanded. (BuildKit's Dockerfile reference.) */
export type RunMount =
  | {
      readonly type: 'bind';
      readonly target: string;
      /** Null = the build context. */
      readonly from: string | null;
      readonly source: string;
      readonly readonly: boolean;
    }
  | {
      readonly type: 'cache';
      readonly target: string;
      readonly id: string;
      readonly from: string | null;
      readonly source: string;
      readonly readonly: boolean;
      readonly sharing: Sharing;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes: number }
  | {
      readonly type: 'secret';
      readonly id: string;
      /** Null when it is only a variable. */
      readonly target: string | null;
      readonly env: string | null;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {
      readonly type: 'ssh';
      readonly id: string;
      readonly target: string | null;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

const keys: Readonly<Record<RunMount['type'], readonly string[]>> = {
  bind: ['from', 'source', 'target', 'readonly', 'readwrite'],
  cache: ['id', 'from', 'source', 'target', 'readonly', 'readwrite', 'sharing', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size'],
  secret: ['id', 'target', 'env', 'required', 'mode', 'uid', 'gid'],
  ssh: ['id', 'target', 'required', 'mode', 'uid', 'gid'],
};
const aliases: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};

/** Throws Error in docker's words; the caller knows the line. Paths stay relative to the working directory. */
export function parseMountFlag(text: string): RunMount {
  const fields = new Map<string, string>();
  for (const part of csv(text)) {
    const equals = part.indexOf('=');
    const written = (equals < 0 ? part : part.slice(0, equals)).toLowerCase();
    const key = aliases[written] ?? written;
    if (equals < 0 && !['readonly', 'readwrite', 'required'].includes(key))
      throw new Error(`invalid field '${part}' must be a key=value pair`);
    fields.set(key, equals < 0 ? 'true' : part.slice(equals + 1));
  }
  const type = fields.get('type') ?? 'bind';
  if (!isType(type)) throw new Error(`unsupported mount type "${type}"`);
  for (const key of fields.keys()) {
    if (key !== 'type' && !keys[type].includes(key))
      throw new Error(`unexpected key '${key}' for mount type '${type}'`);
  }
  const flag = (name: string) => {
    const value = fields.get(name);
    if (value === undefined) return undefined;
    if (!/^(true|false|1|0)$/i.test(value)) throw new Error(`invalid value for ${name}: ${value}`);
    return /^(true|1)$/i.test(value);
  };
  const number = (name: string, base: number, otherwise: number) => {
    const value = fields.get(name);
    if (value === undefined) return otherwise;
    if (!(base === 8 ? /^[0-7]+$/ : /^\d+$/).test(value))
      throw new Error(`invalid value ${value} for ${name}`);
    return Number.parseInt(value, base);
  };
  const required = (name: string) => {
    const value = fields.get(name);
    if (value === undefined || value === '') throw new Error(`${name} is required`);
    return value;
  };
  const from = fields.get('from') || null;
  const source = fields.get('source') ?? '/';
  const readwrite = flag('readwrite');
  const readonly = flag('readonly');
  const owner = { uid: number('uid', 10, 0), gid: number('gid', 10, 0) };
  switch (type) {
    case 'bind':
      return { type, target: required('target'), from, source, readonly: readonly ?? !(readwrite ?? false) };
    case 'cache': {
      const target = required('target');
      const sharing = fields.get('sharing') ?? 'shared';
      if (!isSharing(sharing)) throw new Error(`unsupported sharing value "${sharing}"`);
      const id = fields.get('id') || target;
      const mode = number('mode', 8, 0o755);
      return { type, target, id, from, source, readonly: readonly ?? false, sharing, mode, ...owner };
    }
    case 'tmpfs':
      return { type, target: required('target'), sizeBytes: sizeOf(fields.get('size')) };
    case 'secret': {
      const env = fields.get('env') ?? null;
      const target = fields.get('target') ?? null;
      const id = fields.get('id') || target?.split('/').at(-1) || env;
      if (!id) throw new Error('secret mount requires an id or a target');
      const place = target ?? (env === null ? `/run/secrets/${id.split('/').at(-1)}` : null);
      const mode = number('mode', 8, 0o400);
      return { type, id, target: place, env, required: flag('required') ?? false, mode, ...owner };
    }
    case 'ssh': {
      const id = fields.get('id') || 'default';
      const mode = number('mode', 8, 0o600);
      const target = fields.get('target') ?? null;
      return { type, id, target, required: flag('required') ?? false, mode, ...owner };
    }
  }
}

function isType(word: string): word is RunMount['type'] {
  return Object.hasOwn(keys, word);
}

function isSharing(word: string): word is Sharing {
  return sharingModes.some((mode) => mode === word);
}

/** One record: fields are separated by commas, and may be quoted. */
function csv(text: string): string[] {
  const fields = text.match(/(?:"(?:[^"]|"")*"|[^,])+/g) ?? [];
  return fields.map((field) =>
    field.startsWith('"') && field.endsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field,
  );
}

function sizeOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const match = /^(\d+)([kmgt]?)i?b?$/i.exec(text);
  if (!match) throw new Error(`invalid size: '${text}'`);
  return Number(match[1]) * 1024 ** ' kmgt'.indexOf(match[2]!.toLowerCase() || ' ');
}
