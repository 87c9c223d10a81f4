import { noticeTime } from '../../../guest/wire/index.ts';
import type { Notices } from '../changes/notices.ts';
import {
  attributesAnswer,
  endAnswer,
  fileSystemAnswer,
  handleAnswer,
  nameAnswer,
  okAnswer,
} from './answers.ts';
import { readAttributes, type WantedAttributes } from './attributes.ts';
import { Refusal, statusOf } from './errors.ts';
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
  /** Told of what this client changes, before and after. */
  readonly onChange: (path: Buffer) => void;
  readonly notices: Notices;
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
  [request.open]: (fields, id, { trees, handles, onChange }) => {
    const path = fields.bytes();
    const flags = fields.uint32();
    const wanted = readAttributes(fields);
    const changes = (flags & (openFlag.create | openFlag.truncate)) !== 0;
    const run = async () => {
      const { tree, parts } = inTree(placeIn(trees, path));
      handles.assertRoom();
      if (changes) onChange(path);
      const file = await tree.open(parts, flags, wanted);
      if (changes) onChange(path);
      return handleAnswer(id, handles.add({ kind: 'file', path: Buffer.from(path), ...file }));
    };
    return { changes, run };
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
  [request.write]: (fields, id, { handles, onChange }) => {
    const handle = fields.bytes();
    const offset = fields.uint64();
    const data = fields.bytes();
    return changing(id, async () => {
      const file = handles.file(handle);
      await told([file.path], onChange, () => writeOpen(file, offset, data));
    });
  },
  [request.lstat]: planStats,
  // The same: where a link leads is known to who asks, not to this side.
  [request.stat]: planStats,
  [request.fstat]: (fields, id, { handles }) => {
    const handle = fields.bytes();
    return looking(async () => attributesAnswer(id, await statsOfOpen(handles.file(handle))));
  },
  [request.setstat]: (fields, id, served) => {
    const path = fields.bytes();
    const wanted = readAttributes(fields);
    if (isNotice(wanted)) return looking(async () => okAnswer(id));
    return changingAt(served, path, id, ({ tree, parts }) => tree.change(parts, wanted));
  },
  [request.fsetstat]: (fields, id, { handles, onChange }) => {
    const handle = fields.bytes();
    const wanted = readAttributes(fields);
    if (isNotice(wanted)) return looking(async () => okAnswer(id));
    return changing(id, async () => {
      const file = handles.file(handle);
      await told([file.path], onChange, () => changeOpen(file, wanted));
    });
  },
  [request.opendir]: (fields, id, { trees, handles }) => {
    const path = fields.bytes();
    return looking(async () => {
      const { tree, parts } = placeIn(trees, path);
      handles.assertRoom();
      const directory = tree === null ? listTrees(trees) : await openDirectory(tree, parts);
      return handleAnswer(id, handles.add({ kind: 'directory', path: Buffer.from(path), ...directory }));
    });
  },
  [request.readdir]: (fields, id, { handles, notices }) => {
    const handle = fields.bytes();
    return looking(async () => {
      const directory = handles.directory(handle);
      const entries = await nextEntries(directory, id);
      notices.seen.listed(directory.path);
      return entries ?? endAnswer(id);
    });
  },
  [request.remove]: (fields, id, served) =>
    changingAt(served, fields.bytes(), id, ({ tree, parts }) => tree.remove(parts)),
  [request.mkdir]: (fields, id, served) => {
    const path = fields.bytes();
    const wanted = readAttributes(fields);
    return changingAt(served, path, id, ({ tree, parts }) => tree.makeDirectory(parts, wanted));
  },
  [request.rmdir]: (fields, id, served) =>
    changingAt(served, fields.bytes(), id, ({ tree, parts }) => tree.removeDirectory(parts)),
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
  [request.symlink]: (fields, id, served) => {
    // In OpenSSH's order, which is not the draft's and which every client has.
    const target = fields.bytes();
    return changingAt(served, fields.bytes(), id, ({ tree, parts }) => tree.makeLink(parts, target));
  },
  [request.rename]: (fields, id, served) =>
    betweenNames(fields, id, served, (tree, from, to) => tree.rename(from, to, { replace: false })),
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
  'posix-rename@openssh.com': (fields, id, served) =>
    betweenNames(fields, id, served, (tree, from, to) => tree.rename(from, to, { replace: true })),
  'hardlink@openssh.com': (fields, id, served) =>
    betweenNames(fields, id, served, (tree, from, to) => {
      if (isGitObject(from)) throw new Refusal(status.failure, 'no hard links to objects of git');
      return tree.hardLink(from, to);
    }),
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

function planStats(fields: Fields, id: number, { trees, notices }: Served): Work {
  const path = fields.bytes();
  return looking(async () => {
    const notice = notices.attributesAt(path);
    if (notice !== null) return attributesAnswer(id, notice);
    const { tree, parts } = placeIn(trees, path);
    if (tree === null) return attributesAnswer(id, attributesOfTrees);
    if (notices.hides(path)) throw new Refusal(status.noSuchFile, 'not yet');
    try {
      const stats = await tree.stats(parts);
      if (stats.isDirectory()) notices.seen.saw(path);
      return attributesAnswer(id, stats);
    } catch (error) {
      const ghost = statusOf(error).code === status.noSuchFile ? notices.ghostAt(path) : null;
      if (ghost === null) throw error;
      return attributesAnswer(id, ghost);
    }
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
  { trees, onChange, notices }: Served,
  path: Buffer,
  id: number,
  work: (place: PlaceInTree) => Promise<void>,
): Work {
  if (notices.isNotice(path)) return looking(async () => okAnswer(id));
  return changing(id, async () => {
    await told([path], onChange, () => work(inTree(placeIn(trees, path))));
    notices.seen.saw(path);
  });
}

/** Before, since who watches may hear of it while it is done; and afterwards, since that may have taken long. */
async function told(paths: Buffer[], onChange: Served['onChange'], work: () => Promise<void>): Promise<void> {
  const tell = () => {
    for (const path of paths) onChange(path);
  };
  tell();
  await work();
  tell();
}

/** The engine's way to have its kernel tell of a change that this side has told it of (wire/host-changes.ts). */
function isNotice({ size, owner, mode, times }: WantedAttributes): boolean {
  return size === undefined && owner === undefined && mode === undefined && times?.modified === noticeTime;
}

function betweenNames(
  fields: Fields,
  id: number,
  { trees, onChange, notices }: Served,
  work: (tree: SharedTree, from: readonly Buffer[], to: readonly Buffer[]) => Promise<void>,
): Work {
  const from = fields.bytes();
  const to = fields.bytes();
  if (notices.isNotice(to) || notices.isNotice(from))
    return looking(async () => {
      notices.moved(from, to);
      return okAnswer(id);
    });
  return changing(id, async () => {
    const source = inTree(placeIn(trees, from));
    const target = inTree(placeIn(trees, to));
    if (source.tree !== target.tree) throw new Refusal(status.failure, 'names in two shared directories');
    await told([from, to], onChange, () => work(source.tree, source.parts, target.parts));
    notices.seen.saw(to);
  });
}

/**
 * `git clone` of a directory links objects and ends when the link's inode number is another one, which each name has in sshfs;
 * where it cannot link it copies.
 */
function isGitObject(parts: readonly Buffer[]): boolean {
  return /(?:^|\/)objects\/(?:[\da-f]{2}|info|pack)\/[^/]+$/.test(
    parts.map((part) => part.toString('latin1')).join('/'),
  );
}

function inTree(place: Place): PlaceInTree {
  if (place.tree === null) throw new Refusal(status.permissionDenied, 'the list of shared directories');
  return place;
}
