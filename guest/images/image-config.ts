import * as z from 'zod';
import { type Digest, isDigest } from '../digest.ts';
import { InvalidParameter } from '../errors.ts';
import type { ContainerDefaults, HistoryEntry, ImageConfig } from './image.ts';

/** A configuration larger than this is refused: real ones are a few KiB. */
export const maxConfigBytes = 8 * 1024 * 1024;

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'invalid digest');
const words = z.array(z.string()).nullish();
const flags = z.record(z.string(), z.looseObject({})).nullish();

const defaults = z.looseObject({
  User: z.string().nullish(),
  Env: words,
  // Old images have a bare string here.
  Entrypoint: z.union([words, z.string().transform((text) => [text])]),
  Cmd: z.union([words, z.string().transform((text) => [text])]),
  WorkingDir: z.string().nullish(),
  ExposedPorts: flags,
  Volumes: flags,
  Labels: z.record(z.string(), z.string()).nullish(),
  StopSignal: z.string().nullish(),
  Shell: words,
  OnBuild: words,
  Healthcheck: z.looseObject({}).nullish(),
});

const history = z.looseObject({
  created: z.string().nullish(),
  created_by: z.string().nullish(),
  author: z.string().nullish(),
  comment: z.string().nullish(),
  empty_layer: z.boolean().nullish(),
});

const schema = z.looseObject({
  architecture: z.string().nullish(),
  os: z.string().nullish(),
  variant: z.string().nullish(),
  created: z.string().nullish(),
  author: z.string().nullish(),
  comment: z.string().nullish(),
  docker_version: z.string().nullish(),
  'os.version': z.string().nullish(),
  config: defaults.nullish(),
  rootfs: z.looseObject({ type: z.string().nullish(), diff_ids: z.array(digest).nullish() }),
  history: z.array(history).nullish(),
});

/**
 * Reads the bytes of an image configuration; tolerant of what old builders left out or wrote as null, deaf
 * to members it does not know. Throws InvalidParameter that says which member is wrong.
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const parsed = schema.safeParse(parseJson(bytes));
  if (!parsed.success) throw new InvalidParameter(`invalid image configuration: ${issue(parsed.error)}`);
  const { rootfs, config, history: entries, ...top } = parsed.data;
  return {
    architecture: top.architecture ?? '',
    os: top.os || 'linux',
    ...present({
      variant: top.variant,
      created: top.created,
      author: top.author,
      comment: top.comment,
      docker_version: top.docker_version,
      'os.version': top['os.version'],
    }),
    ...(config && { config: pickDefaults(config) }),
    rootfs: { type: 'layers', diff_ids: rootfs.diff_ids ?? [] },
    ...(entries && { history: entries.map(pickHistory) }),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > maxConfigBytes) throw new InvalidParameter('invalid image configuration: too large');
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new InvalidParameter('invalid image configuration: not JSON', { cause });
  }
}

function issue(error: z.ZodError): string {
  const first = error.issues[0]!;
  return `${first.path.join('.') || 'document'}: ${first.message}`;
}

function pickDefaults(config: z.infer<typeof defaults>): ContainerDefaults {
  const { User, Env, Entrypoint, Cmd, WorkingDir, ExposedPorts, Volumes, Labels } = config;
  const { StopSignal, Shell, OnBuild, Healthcheck } = config;
  return present({
    User,
    Env,
    Entrypoint,
    Cmd,
    WorkingDir,
    ExposedPorts,
    Volumes,
    Labels,
    StopSignal,
    Shell,
    OnBuild,
    Healthcheck,
  });
}

function pickHistory({
  created,
  created_by,
  author,
  comment,
  empty_layer,
}: z.infer<typeof history>): HistoryEntry {
  return present({ created, created_by, author, comment, empty_layer });
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** The members that are neither null nor undefined. */
function present<T extends object>(members: T): Present<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value != null)) as Present<T>;
}
