import type { Digest } from '../digest.ts';
import { Conflict, NotFound } from '../errors.ts';
import type { EventSink } from '../events/event.ts';
import { shortId } from '../ids.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import { familiarReference, parseReference, type Reference, withDefaultTag } from '../reference.ts';
import type { Image } from './image.ts';
import { imageEvent } from './image-event.ts';
import type { ImageStore } from './image-store.ts';
import type { Originals } from './originals.ts';
import { type Platform, requirePlatform } from './platform.ts';

/** A container that was made from an image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

export interface RemoveDependencies {
  readonly layers: OverlayLayerStore;
  readonly images: ImageStore;
  readonly originals: Pick<Originals, 'collect'>;
  readonly events: EventSink;
  /** The containers made from an image. */
  readonly usersOf: (id: Digest) => readonly ImageUser[];
}

/** One line of what `docker rmi` prints. */
export type Removed = { readonly Untagged: string } | { readonly Deleted: string };

/**
 * Removes an image by name or id, with dockerd's rules (moby, daemon/images/image_delete.go): a name among
 * several is only taken off; the last name and an id take the image along, unless something needs it.
 * `force` overrides stopped containers and several names, never a running container. Throws NotFound and
 * Conflict in dockerd's words.
 */
export async function removeImage(
  deps: RemoveDependencies,
  word: string,
  {
    force,
    prune,
    platform,
  }: {
    readonly force: boolean;
    /** Its parents go with it where nothing else needs them. */
    readonly prune: boolean;
    readonly platform?: Platform | undefined;
  },
): Promise<Removed[]> {
  const { images } = deps;
  const image = images.resolve(word);
  requirePlatform(image.config, platform, word);
  const removed: Removed[] = [];
  if (isIdPrefix(image.id, word)) {
    const names = images.names(image.id);
    refuse(image, deps, { force, namesCount: isSingle(names) ? 0 : names.length });
    for (const name of names) removed.push(untag(deps, image, name));
  } else {
    const name = withDefaultTag(parseReference(word));
    const user = deps.usersOf(image.id)[0];
    if (!force && user && isSingle(images.names(image.id))) {
      throw new Conflict(
        `conflict: unable to remove repository reference "${word}" (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
      );
    }
    removed.push(untag(deps, image, name));
    // Digests of a repository go with its last tag.
    const left = images.names(image.id).filter((other) => isSameRepository(other, name));
    if (name.digest === undefined && left.every(({ tag }) => tag === undefined))
      for (const digest of left) removed.push(untag(deps, image, digest));
    if (images.names(image.id).length > 0) return removed;
    // The name was what was asked for; the image stays, without names, for whom it serves.
    const users = deps.usersOf(image.id);
    if (users.some(({ running }) => running) || (!force && users.length > 0)) return removed;
    if (images.hasChildren(image.id)) return removed;
  }
  removed.push(...(await deleteImage(deps, image)));
  if (prune) removed.push(...(await deleteParents(deps, image)));
  return removed;
}

/** After a child is gone: the images that it was made of, as long as they have no name and no other use. */
export async function deleteParents(deps: RemoveDependencies, child: Image): Promise<Removed[]> {
  const { images, usersOf } = deps;
  const removed: Removed[] = [];
  for (let id = child.parent; id !== null; ) {
    const parent = images.get(id);
    const isNeeded = images.names(id).length > 0 || images.hasChildren(id) || usersOf(id).length > 0;
    if (!parent || isNeeded) break;
    removed.push(...(await deleteImage(deps, parent)));
    id = parent.parent;
  }
  return removed;
}

/** Deletes an image that nothing needs, with its names and the layers that only it had. */
export async function deleteImage(deps: RemoveDependencies, image: Image): Promise<Removed[]> {
  const removed: Removed[] = deps.images.names(image.id).map((name) => untag(deps, image, name));
  deps.images.delete(image.id);
  const layers = await deps.layers.collect();
  deps.originals.collect();
  deps.events.publish(imageEvent('delete', image));
  return [...removed, ...[image.id, ...layers].map((id) => ({ Deleted: id }))];
}

function untag({ images, events }: RemoveDependencies, image: Image, name: Reference): Removed {
  if (images.byReference(name)?.id !== image.id) {
    throw new NotFound(`No such image: ${familiarReference(name)}`);
  }
  images.untag(name);
  events.publish(imageEvent('untag', image));
  return { Untagged: familiarReference(name) };
}

function refuse(
  image: Image,
  { images, usersOf }: RemoveDependencies,
  { force, namesCount }: { readonly force: boolean; readonly namesCount: number },
): void {
  const users = usersOf(image.id);
  const running = users.find((user) => user.running);
  const conflict = (how: string, why: string) =>
    new Conflict(`conflict: unable to delete ${shortId(image.id)} (${how}) - ${why}`);
  if (images.hasChildren(image.id)) throw conflict('cannot be forced', 'image has dependent child images');
  if (running) {
    throw conflict('cannot be forced', `image is being used by running container ${shortId(running.id)}`);
  }
  if (force) return;
  if (namesCount > 0) throw conflict('must be forced', 'image is referenced in multiple repositories');
  if (users[0]) {
    throw conflict('must be forced', `image is being used by stopped container ${shortId(users[0].id)}`);
  }
}

/** Whether a word that found this image was (the beginning of) its id. */
function isIdPrefix(id: Digest, word: string): boolean {
  return id.startsWith(word) || id.startsWith(`sha256:${word}`);
}

function isSameRepository(a: Reference, b: Reference): boolean {
  return a.domain === b.domain && a.path === b.path;
}

/** At most one tag, and nothing outside its repository: then an id means the whole. */
function isSingle(names: readonly Reference[]): boolean {
  const repositories = new Set(names.map(({ domain, path }) => `${domain}/${path}`));
  return repositories.size <= 1 && names.filter(({ digest }) => digest === undefined).length <= 1;
}
