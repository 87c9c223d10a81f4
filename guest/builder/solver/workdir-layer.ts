import { digestOf } from '../../digest.ts';
import { byteString } from '../../layers/tar-entry.ts';
import { resolveUser } from '../../runtime/spec/users.ts';
import { BuildError } from '../build-error.ts';
import type { Located } from '../dockerfile/instruction.ts';
import { resolveDestination } from '../files/destination.ts';
import { layerTar, madeDirectory } from '../files/layer-entries.ts';
import { type LayerWish, type StepContext, workingDirectory } from './step-context.ts';
import { userFiles } from './user-files.ts';

/** WORKDIR: makes the directory where it is not there, for the user that steps have. */
export function workdirLayer(instruction: Located, context: StepContext): LayerWish {
  const { build, draft } = context;
  const path = workingDirectory(draft);
  const createdBy = `WORKDIR ${path}`;
  const lower = build.lower(draft.chainId);
  const at = resolveDestination(lower, byteString(path));
  if (at.kind === 'file')
    throw new BuildError(`cannot make ${path}: it is no directory`, { range: instruction.range });
  if (at.kind === 'directory') return { createdBy };
  const owner = ownerOf(context);
  const latestNs = build.epoch ? BigInt(build.epoch.getTime()) * 1_000_000n : null;
  return {
    key: async () => digestOf(JSON.stringify(['workdir', draft.chainId, path, owner, build.epoch])),
    createdBy,
    make: () => {
      const options = { owner, mode: null, latestNs };
      const entries = [...at.missing, at.path].map((one) => madeDirectory(one, options, new Date()));
      return build.deps.layers.commitTar(layerTar(entries, lower), draft.chainId, build.lease);
    },
  };
}

/** Null = root, also for a user that the files do not know. */
function ownerOf({ build, draft }: StepContext): { readonly uid: number; readonly gid: number } | null {
  if (!draft.config.User) return null;
  try {
    const { uid, gid } = resolveUser(draft.config.User, userFiles(build, draft.chainId));
    return { uid, gid };
  } catch {
    return null;
  }
}
