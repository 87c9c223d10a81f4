import { runnablePlatforms } from '../../images/runnable-platforms.ts';
import { Worker } from './wire/control.ts';
import type { Content } from './wire/message.ts';

/** The version of BuildKit's services whose part we speak; clients choose their words by it. */
export const buildKitVersion = {
  package: 'machine',
  version: 'v0.13.1',
  revision: '',
  dockerfileVersion: '',
};

/**
 * The engine as a worker of BuildKit. By the label `…worker.snapshotter` buildx knows an engine that writes archives
 * (outputs oci and docker) and pushes by itself. It takes such an engine also for one that exports caches
 * and keeps several platforms under a name, which are then refused here.
 */
export function worker({
  engineId,
  hostGateway,
  cacheLimitBytes,
}: {
  readonly engineId: string;
  readonly hostGateway: string | null;
  /** 0 = none */
  readonly cacheLimitBytes: number;
}): Content<typeof Worker> {
  return Worker.of({
    id: engineId,
    labels: new Map([
      ['org.mobyproject.buildkit.worker.executor', 'machine'],
      ['org.mobyproject.buildkit.worker.snapshotter', 'overlayfs'],
      ...(hostGateway
        ? ([['org.mobyproject.buildkit.worker.moby.host-gateway-ip', hostGateway]] as const)
        : []),
    ]),
    platforms: runnablePlatforms().map(({ os, architecture, variant }) => ({
      os,
      architecture,
      variant: variant ?? '',
    })),
    gcPolicy:
      cacheLimitBytes > 0
        ? [
            {
              ...{ all: false, keepDuration: 0, filters: [] },
              ...{ keepBytes: cacheLimitBytes, maxUsedSpace: cacheLimitBytes },
            },
          ]
        : [],
    version: buildKitVersion,
  });
}
