import { agentVersion } from '../../agent-version.ts';
import type { EngineConfig } from '../../config.ts';
import type { EventBus } from '../../events/bus.ts';
import type { HostSystem } from '../../host/system.ts';
import type { Route } from '../handler.ts';
import { apiVersion, engineVersion, minApiVersion } from '../versions.ts';
import { type EngineCounts, engineInfo } from './info.ts';

export interface SystemDeps {
  readonly config: EngineConfig;
  readonly host: HostSystem;
  readonly events: EventBus;
  /** Random, made once for a data root. */
  readonly engineId: string;
  readonly counts: () => EngineCounts;
  readonly runtimeVersion: () => Promise<string>;
}

const pingHeaders = {
  // Clients before 23.0 take 2 for an engine that fetches contexts over /session by itself; newer ones use buildx anyway.
  'Builder-Version': '1',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
  Swarm: 'inactive',
};

export function systemRoutes(deps: SystemDeps): Route[] {
  return [
    { method: 'GET', path: '/_ping', early: true, handle: () => ({ text: 'OK', headers: pingHeaders }) },
    // moby answers so to whoever asks what there is, and says nothing.
    { method: 'OPTIONS', path: '/', handle: () => ({ status: 200 }) },
    { method: 'HEAD', path: '/_ping', early: true, handle: () => ({ text: '', headers: pingHeaders }) },
    { method: 'GET', path: '/version', handle: async () => ({ json: await version(deps) }) },
    {
      method: 'GET',
      path: '/info',
      handle: async ({ apiMinor }) => ({
        json: engineInfo({
          ...deps,
          counts: deps.counts(),
          runtimeVersion: await deps.runtimeVersion(),
          apiMinor,
        }),
      }),
    },
  ];
}

async function version({ host, runtimeVersion }: SystemDeps): Promise<object> {
  const details = {
    ApiVersion: apiVersion,
    MinAPIVersion: minApiVersion,
    // Clients print these two of dockerd; what stands in their place here is said as it is.
    GitCommit: `machine-${agentVersion}`,
    GoVersion: `none (Node.js ${process.version})`,
    Os: 'linux',
    Arch: host.goArch,
    KernelVersion: host.kernelRelease,
    Experimental: 'false',
    BuildTime: '',
  };
  return {
    Platform: { Name: `machine ${agentVersion}` },
    Components: [
      { Name: 'Engine', Version: engineVersion, Details: details },
      { Name: 'crun', Version: await runtimeVersion(), Details: {} },
    ],
    Version: engineVersion,
    ...details,
    Experimental: false,
  };
}
