import { PassThrough } from 'node:stream';
import { InvalidParameter, NotFound } from '../../errors.ts';
import type { Images } from '../../images/index.ts';
import { parsePlatform, requirePlatform } from '../../images/platform.ts';
import { familiarName, familiarReference, parseReference, type Reference } from '../../reference.ts';
import { authConfig, credentialsOf, toCredentials } from '../../registry/credentials.ts';
import type { Registry } from '../../registry/index.ts';
import type { ProgressLine } from '../../registry/progress.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';
import { errorLine } from '../reply.ts';
import { matchesSearch, searchFilters } from './search-filters.ts';

export interface RegistryRouteDeps {
  readonly images: Images['images'];
  /** Loaded when somebody wants it first. */
  readonly registry: () => Promise<Registry>;
}

/** What needs a registry; `docker pull` comes in by the door of images (routes/images.ts). */
export function registryRoutes({ images, registry }: RegistryRouteDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/images/**name/push',
      handle: async (request) => push(images, await registry(), request),
    },
    {
      method: 'POST',
      path: '/auth',
      handle: async (request) => {
        const config = await request.json(authConfig);
        const server = config.serveraddress ?? '';
        const token = await (await registry()).login(server, toCredentials(config), request.signal);
        return { json: { IdentityToken: token, Status: 'Login Succeeded' } };
      },
    },
    {
      method: 'GET',
      path: '/images/search',
      handle: async (request) => search(await registry(), request),
    },
    {
      method: 'GET',
      path: '/distribution/**name/json',
      handle: async ({ params, headers, signal }) => {
        const reference = parseReference(params.name!);
        const credentials = credentialsOf(headers);
        return { json: await (await registry()).inspect(reference, { credentials, signal }) };
      },
    },
  ];
}

/** `POST /images/create?fromImage=`: answers when the registry has said that there is such an image. */
export async function pullImage(registry: Registry, request: ApiRequest): Promise<Reply> {
  const { query, headers } = request;
  const wanted = pulledReference(query.text('fromImage') ?? '', query.text('tag'));
  const platformText = request.apiMinor < 32 ? undefined : query.text('platform');
  const options = {
    credentials: credentialsOf(headers),
    platform: platformText ? parsePlatform(platformText) : undefined,
  };
  return streamed(request, async (onProgress, signal) => {
    const isAll = wanted.tag === undefined && wanted.digest === undefined;
    const tags = isAll ? await registry.tags(wanted, { ...options, signal }) : [];
    const names = isAll ? tags.map((tag) => ({ ...wanted, tag })) : [wanted];
    if (names.length === 0) throw new NotFound(`repository ${familiarName(wanted)} has no tags`);
    let isNew = false;
    for (const name of names) {
      const pulled = await registry.pull(name, { ...options, onProgress, signal });
      isNew ||= pulled.isNew;
      onProgress({ status: `Digest: ${pulled.digest}` });
    }
    const what = isNew ? 'Downloaded newer image for' : 'Image is up to date for';
    onProgress({ status: `Status: ${what} ${familiarReference(wanted)}` });
  });
}

async function push(images: Images['images'], registry: Registry, request: ApiRequest): Promise<Reply> {
  const { params, query, headers } = request;
  const repository = parseReference(params.name!);
  if (repository.digest !== undefined) throw new InvalidParameter('cannot push a digest reference');
  const tag = query.text('tag') || repository.tag;
  const { domain, path } = repository;
  const platform = query.text('platform');
  const credentials = credentialsOf(headers);
  return streamed(request, async (onProgress, signal) => {
    onProgress({ status: `The push refers to repository [${domain}/${path}]` });
    const all = images.tagsOf(repository);
    if (all.length === 0)
      throw new NotFound(`An image does not exist locally with the tag: ${familiarName(repository)}`);
    const names = tag ? all.filter((name) => name.tag === tag) : all;
    if (names.length === 0)
      throw new NotFound(`tag does not exist: ${familiarReference({ domain, path, tag: tag! })}`);
    for (const { tag: each = '' } of names) {
      const name = { domain, path, tag: each };
      const image = images.byReference(name);
      if (!image) throw new NotFound(`tag does not exist: ${familiarReference(name)}`);
      requirePlatform(image.config, platform ? parsePlatform(platform) : undefined, familiarReference(name));
      const alone = platform !== undefined;
      const options = { image, credentials, onProgress, signal, alone };
      const { digest, size } = await registry.push(name, options);
      onProgress({ status: `${each}: digest: ${digest} size: ${size}` });
      onProgress({ progressDetail: {}, aux: { Tag: each, Digest: digest, Size: size } });
    }
  });
}

async function search(registry: Registry, { query, headers, signal }: ApiRequest): Promise<Reply> {
  const term = query.text('term') ?? '';
  const limit = query.integer('limit') ?? 0;
  if (limit < 0 || limit > 100) throw new InvalidParameter(`limit ${limit} is outside the range of [1, 100]`);
  const filters = searchFilters(query.filters());
  const found = await registry.search(term, {
    limit: limit || 25,
    credentials: credentialsOf(headers),
    signal,
  });
  return { json: found.filter((hit) => matchesSearch(hit, filters)) };
}

/** A name with a tag or digest beside it; the tag parameter has it either way. */
function pulledReference(image: string, tag: string | undefined): Reference {
  const name = parseReference(image);
  if (!tag) return name;
  const { domain, path } = name;
  return parseReference(`${domain}/${path}${tag.includes(':') ? '@' : ':'}${tag}`);
}

/**
 * The lines of a work as they come. What fails before the first line is an answer with a status, afterwards a
 * last line. When the client goes away, the work is given up.
 */
async function streamed(
  { signal }: ApiRequest,
  work: (onProgress: (line: ProgressLine) => void, signal: AbortSignal) => Promise<void>,
): Promise<Reply> {
  const stream = new PassThrough();
  const left = new AbortController();
  // Also at its own end, when there is nothing left to give up.
  stream.on('close', () => left.abort(new Error('the client went away')));
  await new Promise<void>((resolve, reject) => {
    let begun = false;
    const onProgress = (line: ProgressLine) => {
      begun = true;
      if (stream.writable) stream.write(`${JSON.stringify(line)}\r\n`);
      resolve();
    };
    work(onProgress, AbortSignal.any([signal, left.signal])).then(
      () => {
        stream.end();
        resolve();
      },
      (error: unknown) => {
        if (!begun) return reject(error);
        if (stream.writable) stream.end(errorLine(error));
      },
    );
  });
  return { stream, contentType: 'application/json' };
}
