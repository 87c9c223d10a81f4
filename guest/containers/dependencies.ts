import type { EventSink } from '../events/event.ts';
import type { HostSystem } from '../host/system.ts';
import type { ImageResolver } from '../images/image.ts';
import type { Snapshotter } from '../layers/snapshotter.ts';
import type { Logger } from '../log.ts';
import type { NetworkManager } from '../network/network-manager.ts';
import type { CgroupLocation } from '../runtime/cgroup-location.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { EnginePaths } from '../store/paths.ts';
import type { VolumeStore } from '../volumes/volume-store.ts';
import type { BindSources } from './bind-sources.ts';
import type { ContainerRecord } from './container-record.ts';
import type { ContainerStore } from './container-store.ts';

/** What containers are made of; each part behind its own interface. */
export interface Dependencies {
  readonly store: ContainerStore;
  readonly paths: EnginePaths;
  readonly runtime: Runtime;
  readonly snapshotter: Snapshotter;
  readonly images: ImageResolver;
  readonly networks: NetworkManager;
  readonly volumes: VolumeStore;
  readonly bindSources: BindSources;
  readonly events: EventSink;
  readonly cgroups: CgroupLocation;
  readonly host: HostSystem;
  readonly log: Logger;
}

/** Other containers, by what a user calls them; for `container:` modes and links. */
export interface Neighbours {
  /** Throws NotFound. */
  recordOf(reference: string): ContainerRecord;
  /** The same; undefined when there is none, or more than one. */
  find(reference: string): ContainerRecord | undefined;
  liveRecords(): readonly ContainerRecord[];
  /** Throws NotFound, and Conflict when it does not run. */
  runningPid(reference: string): { readonly id: string; readonly pid: number };
}
