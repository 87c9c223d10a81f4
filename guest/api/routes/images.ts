import { Readable } from 'node:stream';
import { httpGet } from '../../builder/sources/http-get.ts';
import { proxiesOf } from '../../builder/sources/proxies.ts';
import { InvalidParameter } from '../../errors.ts';
import { shortId } from '../../ids.ts';
import { applyChanges } from '../../images/changes.ts';
import { historyOf } from '../../images/history.ts';
import type { Image } from '../../images/image.ts';
import { imageEvent } from '../../images/image-event.ts';
import type { Images } from '../../images/index.ts';
import { inspectionOf } from '../../images/inspection.ts';
import { listImages } from '../../images/list.ts';
import { type LoadedImage, loadImages } from '../../images/load.ts';
import { manifestOf } from '../../images/manifest.ts';
import { manifestSummary } from '../../images/manifest-summary.ts';
import { type Platform, parsePlatform, requirePlatform } from '../../images/platform.ts';
import { pruneImages } from '../../images/prune.ts';
import { removeImage } from '../../images/remove.ts';
import { saveImages } from '../../images/save.ts';
import { selectSaved } from '../../images/select-saved.ts';
import { decompressed } from '../../layers/compression.ts';
import { familiarReference, parseReference, type Reference, withDefaultTag } from '../../reference.ts';
import type { Registry } from '../../registry/index.ts';
import type { ApiRequest, Query, Reply, Route } from '../handler.ts';
import { errorLine } from '../reply.ts';
import { pullImage } from './registries.ts';

/** Everything under `/images`. */
export function imageRoutes(parts: Images, registry: () => Promise<Registry>): Route[] {
  const on = (
    method: Route['method'],
    path: string,
    handle: (parts: Images, request: ApiRequest) => Promise<Reply> | Reply,
  ): Route => ({ method, path, handle: (request) => handle(parts, request) });
  return [
    on('GET', '/images/json', list),
    on('GET', '/images/get', save),
    on('POST', '/images/load', load),
    on('POST', '/images/create', (_, request) => create(parts, registry, request)),
    on('POST', '/images/prune', prune),
    on('GET', '/images/**name/json', inspect),
    on('GET', '/images/**name/history', history),
    on('GET', '/images/**name/get', save),
    on('POST', '/images/**name/tag', tag),
    on('DELETE', '/images/**name', remove),
  ];
}

function list(parts: Images, { query, apiMinor }: ApiRequest): Reply {
  return {
    json: listImages(parts, {
      all: query.flag('all'),
      filters: listFilters(query, apiMinor),
      apiMinor,
      containers: false,
      sharedSize: apiMinor >= 42 && query.flag('shared-size'),
      manifests: query.flag('manifests'),
    }),
  };
}

/** `filter=NAME` before 1.41. */
function listFilters(query: Query, apiMinor: number): ReadonlyMap<string, readonly string[]> {
  const filters = query.filters();
  const name = apiMinor < 41 ? query.text('filter') : undefined;
  return name ? new Map([...filters, ['reference', [...(filters.get('reference') ?? []), name]]]) : filters;
}

function inspect(parts: Images, request: ApiRequest): Reply {
  const { images, layers, usersOf } = parts;
  const { query, apiMinor } = request;
  const manifests = query.flag('manifests');
  if (manifests && query.text('platform'))
    throw new InvalidParameter('conflicting options: manifests and platform options cannot both be set');
  const image = named(parts, request);
  const layerDirs = layers.directories(image.chainId);
  const users = usersOf(image.id).map(({ id }) => id);
  const manifest = manifests ? manifestSummary(image, manifestOf(image, parts), users) : undefined;
  return { json: inspectionOf(image, images.names(image.id), { layerDirs, apiMinor, manifest }) };
}

function history(parts: Images, request: ApiRequest): Reply {
  const image = named(parts, request);
  return { json: historyOf(image, parts) };
}

/** The image in the path, for the platform asked for. */
function named({ images }: Images, { params, query }: ApiRequest): Image {
  const image = images.resolve(params.name!);
  requirePlatform(image.config, wantedPlatform(query), params.name!);
  return image;
}

function tag({ images, events }: Images, { params, query }: ApiRequest): Reply {
  const image = images.resolve(params.name!);
  const name = target(query);
  if (!name) throw new InvalidParameter('invalid reference format: a tag needs a repository name');
  if (name.domain === 'docker.io' && name.path === 'library/sha256')
    throw new InvalidParameter('refusing to create an ambiguous tag using digest algorithm as name');
  images.tag(name, image.id);
  events.publish(imageEvent('tag', image, familiarReference(name)));
  return { status: 201 };
}

async function remove(parts: Images, { params, query }: ApiRequest): Promise<Reply> {
  if (params.name!.trim() === '') throw new InvalidParameter('image name cannot be blank');
  const platforms = query.all('platforms').map(parsePlatform);
  if (platforms.length > 1) throw new InvalidParameter('multiple platforms are not supported');
  return {
    json: await removeImage(parts, params.name!, {
      force: query.flag('force'),
      prune: !query.flag('noprune'),
      platform: platforms[0],
    }),
  };
}

async function prune(parts: Images, { query }: ApiRequest): Promise<Reply> {
  const { removed, reclaimedBytes } = await pruneImages(parts, query.filters());
  return { json: { ImagesDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: reclaimedBytes } };
}

function save(parts: Images, { params, query }: ApiRequest): Reply {
  // Old clients put several names into one parameter.
  const words =
    params.name === undefined ? query.all('names').flatMap((names) => names.split(',')) : [params.name];
  const saved = selectSaved(parts.images, words, wantedPlatform(query));
  const stream = saveImages(parts, saved);
  for (const { image } of saved) parts.events.publish(imageEvent('save', image));
  return { stream, contentType: 'application/x-tar' };
}

/**
 * Nothing is answered before the whole body is read: Go's client gives up on an early answer. What is wrong with an
 * archive is said as dockerd does, in the stream of an answer with status 200.
 */
async function load(parts: Images, { body, query }: ApiRequest): Promise<Reply> {
  const platform = wantedPlatform(query);
  try {
    const loaded = await loadImages(parts, body, platform);
    return lines(loaded.flatMap((item) => loadLines(item, { quiet: query.flag('quiet') })));
  } catch (error) {
    return { stream: Readable.from([errorLine(error)]), contentType: 'application/json' };
  }
}

function loadLines(
  { image, names, taken, newLayers, untold }: LoadedImage,
  { quiet }: { readonly quiet: boolean },
): object[] {
  // A full bar for each layer that was not here, which is the last that dockerd says of it.
  const progress = quiet
    ? []
    : newLayers.map(({ diffId, sizeBytes }) => ({
        status: 'Loading layer',
        progressDetail: { current: sizeBytes, total: sizeBytes },
        id: shortId(diffId),
      }));
  const renamed = taken.map(
    ({ name, from }) =>
      `The image ${name} already exists, renaming the old one with ID ${from} to empty string`,
  );
  const loaded =
    names.length > 0 || untold
      ? names.map((name) => `Loaded image: ${name}`)
      : [`Loaded image ID: ${image.id}`];
  return [...progress, ...[...renamed, ...loaded].map((line) => ({ stream: `${line}\n` }))];
}

/** `docker import` and `docker pull` come in by the same door. */
async function create(parts: Images, registry: () => Promise<Registry>, request: ApiRequest): Promise<Reply> {
  const source = request.query.text('fromSrc');
  if (source === undefined || source === '') return pullImage(await registry(), request);
  return source === '-'
    ? importImage(parts, request, request.body, source)
    : importRemote(parts, request, source);
}

async function importRemote(parts: Images, request: ApiRequest, source: string): Promise<Reply> {
  const url = importUrl(source);
  const response = await httpGet(url.href, { proxies: proxiesOf({ buildArgs: {} }), signal: request.signal });
  if (response.status !== 200) {
    response.body.destroy();
    throw new InvalidParameter(`failed to GET ${url.href} with status ${response.status}`);
  }
  return importImage(parts, request, response.body, source);
}

/** `example.com/a.tar` is meant as a URL, too. Throws InvalidParameter. */
function importUrl(source: string): URL {
  try {
    return new URL(/^https?:\/\//.test(source) ? source : `http://${source}`);
  } catch {
    throw new InvalidParameter(`invalid source of an import: "${source}"; give the URL of a tar archive`);
  }
}

async function importImage(
  { maker }: Images,
  { query }: ApiRequest,
  tar: Readable,
  source: string,
): Promise<Reply> {
  const platform = wantedPlatform(query);
  if (platform && platform.os !== 'linux') throw new InvalidParameter('operating system is not supported');
  const name = target(query);
  const config = applyChanges({}, query.all('changes'));
  const image = await maker.importTar(Readable.from(decompressed(tar)), {
    config,
    name,
    comment: query.text('message') || `Imported from ${source}`,
    platform,
  });
  return lines([{ status: image.id }]);
}

function wantedPlatform(query: Query): Platform | undefined {
  const text = query.text('platform');
  return text ? parsePlatform(text) : undefined;
}

/** The name in `repo` and `tag`; undefined when there is none. */
function target(query: Query): Reference | undefined {
  const repository = query.text('repo');
  const tagName = query.text('tag');
  if (!repository) return undefined;
  const name = parseReference(repository);
  if (name.digest !== undefined)
    throw new InvalidParameter('refusing to create a tag with a digest reference');
  return tagName ? parseReference(`${name.domain}/${name.path}:${tagName}`) : withDefaultTag(name);
}

function lines(items: readonly object[]): Reply {
  return {
    stream: Readable.from(items.map((item) => `${JSON.stringify(item)}\r\n`)),
    contentType: 'application/json',
  };
}
