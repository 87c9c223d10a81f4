import type { Digest } from '../digest.ts';
import type { EndpointRequest } from '../network/network-manager.ts';
import type { ContainerConfig, HostConfig } from '../schema/container.ts';
import type { Health } from './health/health.ts';
import type { State } from './state.ts';

/** All that is remembered of a container: JSON in the `containers` table, durable before anybody is told. */
export interface ContainerRecord {
  readonly id: string;
  /** Without the leading slash of the wire. */
  readonly name: string;
  readonly createdAt: string;
  readonly imageId: Digest;
  /** The client's request with the image's defaults filled in; wire shape. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** The networks it belongs to, by name; none of them: that of its network mode. Wire shape. */
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
  /** Variables that its links gave it when it last started. */
  readonly linkEnv?: readonly string[];
  readonly mounts: readonly RecordedMount[];
  readonly state: State;
  readonly restartCount: number;
  /** Somebody stopped it: `unless-stopped` leaves it alone, and so does `always` until the next start of the engine. */
  readonly stoppedByHand: boolean;
  /** Absent until a first run with a health check. */
  readonly health?: Health;
}

export interface RecordedMount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image';
  /** Volume name, image id; empty for other kinds. */
  readonly name: string;
  /** Directory on the engine's host; empty for tmpfs. */
  readonly source: string;
  readonly destination: string;
  readonly readonly: boolean;
  /** Read-only is the source alone, not what is mounted below it (`bind-recursive=writable`). */
  readonly writableBelow: boolean;
  readonly mode: string;
  readonly propagation: string;
  readonly recursive: boolean;
  /** Made by us for this container, and removed with it (`--rm`, `rm -v`). */
  readonly anonymous: boolean;
  /** Copy the image's files into the empty volume before the first start. */
  readonly copyUp: boolean;
  /** A bind source that did not exist is made when the container starts (`-v`, not `--mount`). */
  readonly createSource: boolean;
  /** Path in the volume or image to bind in the place of the whole; empty for the whole. Absent in old records. */
  readonly subpath?: string;
  readonly tmpfsOptions: string;
}
