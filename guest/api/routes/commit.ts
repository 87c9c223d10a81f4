import type { Container } from '../../containers/container.ts';
import type { Containers } from '../../containers/containers.ts';
import { Conflict, InvalidParameter } from '../../errors.ts';
import { applyChanges } from '../../images/changes.ts';
import type { ImageCommitter, ImageResolver } from '../../images/image.ts';
import { familiarReference, parseReference } from '../../reference.ts';
import { bodies } from '../../schema/bodies.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

/** `docker commit`: an image from what a container has changed. */
export function commitRoutes({
  containers,
  committer,
  images,
}: {
  readonly containers: Containers;
  readonly committer: ImageCommitter;
  readonly images: ImageResolver;
}): Route[] {
  return [{ method: 'POST', path: '/commit', handle: commit }];

  async function commit(request: ApiRequest): Promise<Reply> {
    const { query } = request;
    const body = await request.json((await bodies()).containerConfig.partial());
    const name = query.text('container') ?? '';
    if (name === '') throw new InvalidParameter('invalid container name or ID: value is empty');
    const container = containers.get(name);
    const { record } = container;
    const repo = query.text('repo');
    const imageRef = repo
      ? familiarReference(parseReference(`${repo}:${query.text('tag') || 'latest'}`))
      : '';
    const wantsPause = query.text('pause') === undefined || query.flag('pause');
    const paused = wantsPause && (await pausedNow(container));
    try {
      const config = {
        ...record.config,
        ...Object.fromEntries(Object.entries(body).filter(([, value]) => isGiven(value))),
      };
      const image = await committer.commitSnapshot({
        snapshotKey: container.id,
        parent: images.resolve(record.imageId),
        config: applyChanges(
          {
            User: config.User,
            Env: config.Env,
            Entrypoint: config.Entrypoint,
            Cmd: config.Cmd,
            WorkingDir: config.WorkingDir,
            ExposedPorts: Object.fromEntries(config.ExposedPorts.map((name) => [name, {}])),
            Volumes: Object.fromEntries(config.Volumes.map((name) => [name, {}])),
            Labels: config.Labels,
            StopSignal: config.StopSignal,
            Healthcheck: config.Healthcheck ?? null,
            Shell: config.Shell,
            ...(config.Healthcheck && { Healthcheck: config.Healthcheck }),
          },
          query.all('changes'),
        ),
        author: query.text('author') ?? '',
        comment: query.text('comment') ?? '',
        createdBy: [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])].join(' '),
        ...(imageRef && { reference: imageRef }),
      });
      container.publish('commit', { comment: query.text('comment') ?? '', imageID: image.id, imageRef });
      return { status: 201, json: { Id: image.id } };
    } finally {
      if (paused) await unlessEnded(container.unpause());
    }
  }
}

/** False when it does not run, or has ended meanwhile. */
async function pausedNow(container: Container): Promise<boolean> {
  return container.record.state.status === 'running' && (await unlessEnded(container.pause()));
}

/** Whether it worked; false when the container does not run any more. */
async function unlessEnded(change: Promise<void>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}

function isGiven(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
