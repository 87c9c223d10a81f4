import { posix } from 'node:path';
import { type Digest, digestOf } from '../../digest.ts';
import { byteString, tarEntry } from '../../layers/tar-entry.ts';
import { resolveUser } from '../../runtime/spec/users.ts';
import { BuildError } from '../build-error.ts';
import { heredocText } from '../dockerfile/heredoc.ts';
import { ignoreRules } from '../dockerfile/ignore.ts';
import type { CopyInstruction } from '../dockerfile/instruction.ts';
import { changeMode } from '../files/change-mode.ts';
import { contentKey, layerTar } from '../files/layer-entries.ts';
import { type CopyTree, type CopyWish, copied, copyIdentity, type LooseFile } from './copy-step.ts';
import { layerOf } from './layer-of.ts';
import { treeOf } from './run-layer.ts';
import { type LayerWish, type StepContext, workingDirectory } from './step-context.ts';
import { userFiles } from './user-files.ts';

/** COPY and ADD: files from elsewhere; the layer is what they are in the stage. */
export async function copyLayer(instruction: CopyInstruction, context: StepContext): Promise<LayerWish> {
  const { build, draft } = context;
  const prepared = await prepare(instruction, context);
  const { wish, sourceChain } = prepared;
  const lower = build.lower(draft.chainId);
  const identity = ['copy', draft.chainId, wish.destination, wish.link, build.epoch];
  return {
    // What is in a chain needs not be read again to be known.
    ...(sourceChain !== undefined && {
      alias: digestOf(
        JSON.stringify([
          ...identity,
          copyIdentity(wish, sourceChain, [instruction.excludes, instruction.chmod]),
        ]),
      ),
    }),
    key: async () => digestOf(JSON.stringify([...identity, await contentKey(copied(wish, lower))])),
    createdBy: `${instruction.text} # buildkit`,
    make: () => {
      const atHand = new Map<string, string | Buffer>();
      return layerOf(layerTar(copied(wish, lower), lower, atHand), draft.chainId, build, atHand);
    },
  };
}

async function prepare(
  instruction: CopyInstruction,
  context: StepContext,
): Promise<{ wish: CopyWish; sourceChain: Digest | null | undefined }> {
  const { build, draft, scope } = context;
  const { range, kind, keyword } = instruction;
  const expand = (word: string) => scope.expand(word, range);
  const documents = new Map(instruction.heredocs.map((document) => [`<<${document.name}`, document]));
  const words = instruction.sources.map((source) =>
    documents.get(source.replace(/^<<-?/, '<<').replace(/["']/g, '')) ? source : expand(source),
  );
  const isDocument = (word: string) => documents.has(word.replace(/^<<-?/, '<<').replace(/["']/g, ''));
  const isRemote = (word: string) => kind === 'add' && instruction.from === null && remoteKind(word) !== null;
  const loose: LooseFile[] = [];
  const latestNs = build.epoch ? BigInt(build.epoch.getTime()) * 1_000_000n : null;
  for (const word of words.filter(isDocument)) {
    const document = documents.get(word.replace(/^<<-?/, '<<').replace(/["']/g, ''))!;
    const text = heredocText(document);
    const content = Buffer.from(document.expand ? scope.expand(text, range, { document: true }) : text);
    const time = latestNs ?? 0n;
    loose.push({
      name: byteString(document.name),
      file: null,
      member: {
        entry: tarEntry({ path: '', type: 'file', mode: 0o644, size: content.length, mtimeNs: time }),
        content: () => [content],
        hash: undefined,
      },
    });
  }
  const remotes = words.filter((word) => !isDocument(word) && isRemote(word));
  const remoteTrees: CopyTree[] = [];
  if (remotes.length > 0) {
    const { download } = await import('../sources/remote-file.ts');
    const { checkout } = await import('../sources/git-tree.ts');
    for (const url of remotes) {
      if (remoteKind(url) === 'git')
        remoteTrees.push({ directory: await checkout(url, build, instruction), hashOf: () => undefined });
      else
        loose.push(
          await download(url, build, instruction.checksum === null ? null : expand(instruction.checksum)),
        );
    }
  }
  if (instruction.checksum !== null && remotes.length !== 1)
    throw new BuildError('checksum can only be specified for a single HTTP(S) source', { range });
  const local = words.filter((word) => !isDocument(word) && !isRemote(word));
  if (remoteTrees.length > 0 && (local.length > 0 || remoteTrees.length > 1))
    throw new BuildError('a git repository must be the only source of an ADD', { range });
  const fromTree = local.length > 0 ? await openTree(instruction, context) : null;
  const written = expand(instruction.destination);
  const resolved = posix.resolve(workingDirectory(draft), written);
  const isDirectory = /(^|\/)\.?$/.test(written) && resolved !== '/';
  const wish: CopyWish = {
    classic: build.isClassic,
    keyword,
    tree: remoteTrees[0] ?? fromTree?.tree ?? null,
    sources: remoteTrees.length > 0 ? ['.'] : local,
    loose,
    destination: isDirectory ? `${resolved}/` : resolved,
    parents: instruction.parents,
    excludes: ignoreRules(instruction.excludes.map(expand)),
    unpack: {
      local: kind === 'add' && remoteTrees.length === 0 && (instruction.unpack ?? true),
      loose: kind === 'add' && (instruction.unpack ?? false),
    },
    link: instruction.link,
    options: {
      owner: ownerOf(instruction, context, {
        isContext: instruction.from === null || fromTree?.chainId === undefined,
      }),
      mode: modeOf(instruction, expand),
      latestNs,
    },
    clock: new Date(),
  };
  return { wish, sourceChain: loose.length === 0 ? fromTree?.chainId : undefined };
}

/** The tree of local sources; with a chain when it is that of a stage or an image. */
async function openTree(
  { from }: CopyInstruction,
  context: StepContext,
): Promise<{ tree: CopyTree; chainId?: Digest | null }> {
  const { build } = context;
  const tree = await treeOf(from, context);
  if (tree.kind === 'chain')
    return {
      tree: { directory: await build.trees.chain(tree.chainId), hashOf: null },
      chainId: tree.chainId,
    };
  return { tree: { directory: tree.directory, hashOf: (path) => tree.hashOf?.(path) } };
}

/** Files of a context are root's; those of stages and images keep their owners. */
function ownerOf(
  { chown, range }: CopyInstruction,
  { build, draft, scope }: StepContext,
  { isContext }: { readonly isContext: boolean },
): CopyWish['options']['owner'] {
  if (chown === null) return isContext ? { uid: 0, gid: 0 } : null;
  const words = scope.expand(chown, range);
  const user = /^\d+$/.test(words) ? `${words}:${words}` : words;
  const { uid, gid } = resolveUser(user, userFiles(build, draft.chainId));
  return { uid, gid };
}

function modeOf(
  { chmod, range }: CopyInstruction,
  expand: (word: string) => string,
): CopyWish['options']['mode'] {
  if (chmod === null) return null;
  try {
    return changeMode(expand(chmod));
  } catch (error) {
    if (error instanceof BuildError) throw error;
    throw new BuildError((error as Error).message, { cause: error, range });
  }
}

/** What is fetched from elsewhere; null for a path of the context. */
export function remoteKind(source: string): 'http' | 'git' | null {
  if (/^(?:git:\/\/|git@|ssh:\/\/)/.test(source) || /^https?:\/\/[^#]*\.git(?:#.*)?$/.test(source))
    return 'git';
  return /^https?:\/\//.test(source) ? 'http' : null;
}
