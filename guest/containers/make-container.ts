import { mkdirSync, rmSync } from 'node:fs';
import { InvalidParameter, NotFound } from '../errors.ts';
import { shortId } from '../ids.ts';
import type { ContainerRecord, RecordedMount } from './container-record.ts';
import type { Dependencies } from './dependencies.ts';
import { discardVolumes } from './discard.ts';
import { fillVolumes } from './fill-volumes.ts';
import { openLog } from './logging.ts';
import { makeWorkingDirectory } from './make-working-directory.ts';
import type { RequestedMount } from './mount-requests.ts';
import type { ContainerPlan } from './plan-container.ts';

/** A container that is being made. */
export interface Unmade {
  readonly id: string;
  readonly name: string;
  /** Grows as its mounts are found or made. */
  readonly mounts: RecordedMount[];
}

/** Makes what a plan says; durable when it resolves. When it throws, {@link discardUnmade} takes it back. */
export async function makeContainer(
  plan: ContainerPlan,
  { id, name, mounts }: Unmade,
  deps: Dependencies,
): Promise<ContainerRecord> {
  const { image, config, hostConfig, endpoints } = plan;
  for (const request of plan.mounts) mounts.push(await resolveMount(id, request, deps));
  mkdirSync(deps.paths.container(id), { recursive: true, mode: 0o700 });
  await deps.snapshotter.prepare(id, image.chainId);
  await fillVolumes({ id, mounts }, deps);
  await makeWorkingDirectory({ id, config }, deps);
  const sharesName = hostConfig.UTSMode === 'host' || hostConfig.NetworkMode === 'host';
  const hostname = sharesName ? deps.host.hostname : shortId(id);
  const record: ContainerRecord = {
    id,
    name,
    createdAt: new Date().toISOString(),
    imageId: image.id,
    config: { ...config, Hostname: config.Hostname || hostname },
    hostConfig,
    endpoints,
    mounts,
    state: { status: 'created', exitCode: 0, error: '' },
    restartCount: 0,
    stoppedByHand: false,
  };
  // Its options are checked by it, before there is a record of them.
  openLog(record, deps.paths.container(id));
  const anonymous = mounts.filter((mount) => mount.anonymous).map((mount) => mount.name);
  deps.store.create(record, () => deps.volumes.keep(anonymous));
  return record;
}

/** Takes back what was made of it. Its volumes must not be held for it any more. */
export async function discardUnmade({ id, mounts }: Unmade, deps: Dependencies): Promise<void> {
  await deps.snapshotter.remove(id);
  for (const directory of [deps.paths.container(id), deps.paths.run(id)])
    rmSync(directory, { recursive: true, force: true });
  await discardVolumes(mounts, deps.volumes);
}

async function resolveMount(
  id: string,
  { volume, ...mount }: RequestedMount,
  { volumes, images, paths }: Dependencies,
): Promise<RecordedMount> {
  if (mount.type === 'image') {
    try {
      const source = paths.imageMount(id, mount.destination);
      return { ...mount, name: images.resolve(mount.name).id, source };
    } catch (error) {
      // Not NotFound: `docker run` would take the container's own image for missing.
      throw error instanceof NotFound ? new InvalidParameter(error.message, { cause: error }) : error;
    }
  }
  if (mount.type !== 'volume') return mount;
  const { name, mountpoint } = await volumes.ensure(mount.name, volume);
  return { ...mount, name, source: mountpoint };
}
