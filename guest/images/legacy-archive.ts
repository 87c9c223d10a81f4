import * as z from 'zod';
import { type Digest, digestOf } from '../digest.ts';
import { InvalidParameter } from '../errors.ts';
import { parseReference, type Reference } from '../reference.ts';
import { type ImageDescription, parseDocument } from './archive-documents.ts';
import type { ArchiveContents } from './archive-reader.ts';

/** Names and tags to ids. */
const repositories = z.record(z.string(), z.record(z.string(), z.string()));

const v1Image = z.looseObject({
  os: z.string().nullish(),
  parent: z.string().nullish(),
  created: z.string().nullish(),
  author: z.string().nullish(),
  comment: z.string().nullish(),
  container_config: z.looseObject({ Cmd: z.array(z.string()).nullish() }).nullish(),
});
type V1Image = z.infer<typeof v1Image>;

/** What is of an image in this layout and of none in today's (moby, image/v1, MakeConfigFromV1Config). */
const outdated: readonly string[] = ['id', 'parent', 'Size', 'parent_id', 'layer_id', 'throwaway'];

/** As moby (layer, maxLayerDepth). */
const maxLayers = 125;

interface Made extends ImageDescription {
  readonly diffIds: readonly Digest[];
  readonly history: readonly object[];
}

/**
 * An archive of Docker before 1.10: each directory is an image of one layer on top of its parent, `repositories` says
 * their names (moby, image/tarexport, legacyLoad). Parents come first. Throws InvalidParameter.
 */
export function fromLegacy(archive: ArchiveContents): ImageDescription[] {
  const made = new Map<string, Made>();
  const names = namesById(archive);
  for (const path of archive.paths) {
    const id = /^([^/]+)\/json$/.exec(path)?.[1];
    if (id !== undefined) make(id, new Set());
  }
  const missing = [...names.keys()].find((id) => !made.has(id));
  if (missing !== undefined) throw new InvalidParameter(`invalid target ID: ${missing}`);
  return [...made.values()];

  function make(id: string, above: ReadonlySet<string>): Made {
    const before = made.get(id);
    if (before) return before;
    checkDepth(above.size);
    const path = `${id}/json`;
    const document = archive.document(path);
    const layer = archive.layer(`${id}/layer.tar`);
    if (!document || !layer || above.has(id))
      throw new InvalidParameter(`invalid image archive: "${id}" is no image`);
    const image = parseDocument(path, document, v1Image);
    if (image.os && image.os !== 'linux')
      throw new InvalidParameter(`cannot load ${image.os} image on linux`);
    const parent = image.parent ? make(image.parent, new Set([...above, id])) : null;
    checkDepth(parent?.diffIds.length ?? 0);
    const diffIds = [...(parent?.diffIds ?? []), layer.diffId];
    const history = [...(parent?.history ?? []), historyOf(image)];
    const one: Made = {
      config: configOf(image, diffIds, history),
      paths: [...(parent?.paths ?? []), `${id}/layer.tar`],
      names: names.get(id) ?? [],
      parent: parent && digestOf(parent.config),
      untold: true,
      diffIds,
      history,
    };
    made.set(id, one);
    return one;
  }
}

function checkDepth(below: number): void {
  if (below >= maxLayers) throw new InvalidParameter('max depth exceeded');
}

function namesById(archive: ArchiveContents): Map<string, Reference[]> {
  const names = new Map<string, Reference[]>();
  const found = parseDocument('repositories', archive.document('repositories')!, repositories);
  for (const [name, tags] of Object.entries(found))
    for (const [tag, id] of Object.entries(tags))
      names.set(id, [...(names.get(id) ?? []), parseReference(`${name}:${tag}`)]);
  return names;
}

function historyOf({ created, author, comment, container_config: made }: V1Image): object {
  const by = (made?.Cmd ?? []).join(' ');
  return {
    ...(created && { created }),
    ...(author && { author }),
    ...(by && { created_by: by }),
    ...(comment && { comment }),
  };
}

function configOf(image: V1Image, diffIds: readonly Digest[], history: readonly object[]): Buffer {
  const kept = Object.entries(image).filter(([name]) => !outdated.includes(name));
  const all = Object.entries({
    ...Object.fromEntries(kept),
    os: image.os || 'linux',
    rootfs: { type: 'layers', diff_ids: diffIds },
    history,
  });
  // Sorted, as Go writes maps.
  all.sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(Object.fromEntries(all)));
}
