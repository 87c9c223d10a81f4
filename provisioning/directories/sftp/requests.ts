import {
  attributesAnswer,
  endAnswer,
  fileSystemAnswer,
  handleAnswer,
  nameAnswer,
  okAnswer,
} from './answers.ts';
import { readAttributes } from './attributes.ts';
import { Refusal } from './errors.ts';
import type { Handles } from './handles.ts';
import { attributesOfTrees, listTrees, nextEntries, openDirectory } from './list-directory.ts';
import { changeOpen, readOpen, statsOfOpen, syncOpen, writeOpen } from './open-files.ts';
import type { Fields, Packet } from './packets.ts';
import { openFlag, request, status } from './protocol.ts';
import { absolute, type Place, type PlaceInTree, placeIn } from './served-paths.ts';
import type { SharedTree } from './shared-tree.ts';

/** What one client sees. */
export interface Served {
  readonly trees: ReadonlyMap<string, SharedTree>;
  readonly handles: Handles;
}

/** One request, understood and not yet done. */
export interface Work {
  /** Requests before it must be done, and those after it wait (request-order.ts). */
  readonly changes: boolean;
  /** Resolves with the answer; throws Refusal, or an error of the file system. */
  run(): Promise<Packet | Buffer>;
}

type Plan = (fields: Fields, id: number, served: Served) => Work;

/** Reads all fields of a request. Throws ProtocolError when they are not there. */
export function planRequest(type: number, id: number, fields: Fields, served: Served): Work {
  const plan = plans[type];
  if (plan !== undefined) return plan(fields, id, served);
  return looking(async () => {
    throw new Refusal(status.unsupported, `request ${type}`);
  });
}

const plans: Readonly<Record<number, Plan>> = {
  [request.open]: (fields, id, { trees, handles }) => {
    const path = fields.bytes();
    const flags = fields.uint32();
    const wanted = readAttributes(fields);
    const run = async () => {
      const { tree, parts } = inTree(placeIn(trees, path));
      handles.assertRoom();
      const file = await tree.open(parts, flags, wanted);
      return handleAnswer(id, handles.add({ kind: 'file', ...file }));
    };
    return { changes: (flags & (openFlag.create | openFlag.truncate)) !== 0, run };
  },
  [request.close]: (fields, id, { handles }) => {
    const handle = fields.bytes();
    return changing(id, () => handles.close(handle));
  },
  [request.read]: (fields, id, { handles }) => {
    const handle = fields.bytes();
    const offset = fields.uint64();
    const length = fields.uint32();
    return looking(() => readOpen(handles.file(handle), { id, offset, length }));
  },
  [request.write]: (fields, id, { handles }) => {
    const handle = fields.bytes();
    const offset = fields.uint64();
    const data = fields.bytes();
    return changing(id, () => writeOpen(handles.file(handle), offset, data));
  },
  [request.lstat]: planStats,
  // The same: where a link leads is known to who asks, not to this side.
  [request.stat]: planStats,
  [request.fstat]: (fields, id, { handles }) => {
    const handle = fields.bytes();
    return looking(async () => attributesAnswer(id, await statsOfOpen(handles.file(handle))));
  },
  [request.setstat]: (fields, id, { trees }) => {
    const path = fields.bytes();
    const wanted = readAttributes(fields);
    return changingAt(trees, path, id, ({ tree, parts }) => tree.change(parts, wanted));
  },
  [request.fsetstat]: (fields, id, { handles }) => {
    const handle = fields.bytes();
    const wanted = readAttributes(fields);
    return changing(id, () => changeOpen(handles.file(handle), wanted));
  },
  [request.opendir]: (fields, id, { trees, handles }) => {
    const path = fields.bytes();
    return looking(async () => {
      const { tree, parts } = placeIn(trees, path);
      handles.assertRoom();
      const directory = tree === null ? listTrees(trees) : await openDirectory(tree, parts);
      return handleAnswer(id, handles.add({ kind: 'directory', ...directory }));
    });
  },
  [request.readdir]: (fields, id, { handles }) => {
    const handle = fields.bytes();
    const run = async () => (await nextEntries(handles.directory(handle), id)) ?? endAnswer(id);
    // Changes nothing but how far the listing is read, which two must not do at once.
    return { changes: true, run };
  },
  [request.remove]: (fields, id, { trees }) =>
    changingAt(trees, fields.bytes(), id, ({ tree, parts }) => tree.remove(parts)),
  [request.mkdir]: (fields, id, { trees }) => {
    const path = fields.bytes();
    const wanted = readAttributes(fields);
    return changingAt(trees, path, id, ({ tree, parts }) => tree.makeDirectory(parts, wanted));
  },
  [request.rmdir]: (fields, id, { trees }) =>
    changingAt(trees, fields.bytes(), id, ({ tree, parts }) => tree.removeDirectory(parts)),
  [request.realpath]: (fields, id) => {
    const path = fields.bytes();
    return looking(async () => nameAnswer(id, absolute(path)));
  },
  [request.readlink]: (fields, id, { trees }) => {
    const path = fields.bytes();
    return looking(async () => {
      const { tree, parts } = inTree(placeIn(trees, path));
      return nameAnswer(id, await tree.readLink(parts));
    });
  },
  [request.symlink]: (fields, id, { trees }) => {
    // In OpenSSH's order, which is not the draft's and which every client has.
    const target = fields.bytes();
    return changingAt(trees, fields.bytes(), id, ({ tree, parts }) => tree.makeLink(parts, target));
  },
  [request.rename]: (fields, id, { trees }) =>
    betweenNames(fields, id, trees, (tree, from, to) => tree.rename(from, to, { replace: false })),
  [request.extended]: (fields, id, served) => {
    const name = fields.bytes().toString('latin1');
    const plan = Object.hasOwn(extended, name) ? extended[name] : undefined;
    if (plan !== undefined) return plan(fields, id, served);
    return looking(async () => {
      throw new Refusal(status.unsupported, 'an extension that was not announced');
    });
  },
};

const extended: Readonly<Record<string, Plan>> = {
  'posix-rename@openssh.com': (fields, id, { trees }) =>
    betweenNames(fields, id, trees, (tree, from, to) => tree.rename(from, to, { replace: true })),
  'hardlink@openssh.com': (fields, id, { trees }) =>
    betweenNames(fields, id, trees, (tree, from, to) => tree.hardLink(from, to)),
  'fsync@openssh.com': (fields, id, { handles }) => {
    const handle = fields.bytes();
    // Others need not wait for the disk.
    return looking(async () => {
      await syncOpen(handles.file(handle));
      return okAnswer(id);
    });
  },
  'statvfs@openssh.com': (fields, id, { trees }) => {
    const path = fields.bytes();
    return looking(async () => {
      const { tree, parts } = inTree(placeIn(trees, path));
      return fileSystemAnswer(id, await tree.fileSystem(parts), tree);
    });
  },
};

function planStats(fields: Fields, id: number, { trees }: Served): Work {
  const path = fields.bytes();
  return looking(async () => {
    const { tree, parts } = placeIn(trees, path);
    return attributesAnswer(id, tree === null ? attributesOfTrees : await tree.stats(parts));
  });
}

function looking(run: Work['run']): Work {
  return { changes: false, run };
}

function changing(id: number, work: () => Promise<void>): Work {
  const run = async () => {
    await work();
    return okAnswer(id);
  };
  return { changes: true, run };
}

function changingAt(
  trees: Served['trees'],
  path: Buffer,
  id: number,
  work: (place: PlaceInTree) => Promise<void>,
): Work {
  return changing(id, () => work(inTree(placeIn(trees, path))));
}

function betweenNames(
  fields: Fields,
  id: number,
  trees: Served['trees'],
  work: (tree: SharedTree, from: readonly Buffer[], to: readonly Buffer[]) => Promise<void>,
): Work {
  const from = fields.bytes();
  const to = fields.bytes();
  return changing(id, async () => {
    const source = inTree(placeIn(trees, from));
    const target = inTree(placeIn(trees, to));
    if (source.tree !== target.tree) throw new Refusal(status.failure, 'names in two shared directories');
    await work(source.tree, source.parts, target.parts);
  });
}

function inTree(place: Place): PlaceInTree {
  if (place.tree === null) throw new Refusal(status.permissionDenied, 'the list of shared directories');
  return place;
}
