import { hostPlatform } from '../../images/platform.ts';
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
 * The engine as a worker of BuildKit. It has no label `…worker.snapshotter`: with it buildx would offer what only
 * a containerd behind the engine can do (exporters oci and docker, cache export, several platforms).
 */
export function worker(engineId: string, hostGateway: string | null): Content<typeof Worker> {
  return Worker.of({
    id: engineId,
    labels: new Map([
      ['org.mobyproject.buildkit.worker.executor', 'machine'],
      ...(hostGateway
        ? ([['org.mobyproject.buildkit.worker.moby.host-gateway-ip', hostGateway]] as const)
        : []),
    ]),
    platforms: [{ os: hostPlatform.os, architecture: hostPlatform.architecture, variant: '' }],
    version: buildKitVersion,
  });
}
