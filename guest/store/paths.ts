import { join } from 'node:path';
import { digestOf, hexOf } from '../digest.ts';

/**
 * Every file of the engine, named in one place.
 *
 *   <dataRoot>/engine.db           records (schema.ts)
 *   <dataRoot>/engine.lock         held while an engine runs on this root
 *   <dataRoot>/content/sha256/HEX  blobs by digest: manifests, and compressed layers as registries have them;
 *                                  content/ingest/ = unfinished, swept at start
 *   <dataRoot>/layers/DIR/         one committed layer: the overlay lower directory `fs/`, `tar-split.gz`, and where
 *                                  needed `replaced/` and `opaque` (layers/tar-split.ts, layers/lower-view.ts)
 *   <dataRoot>/snapshots/DIR/      a container's `upper/` and `work/`
 *   <dataRoot>/containers/ID/      config that outlives a run: logs, hostname, hosts, resolv.conf
 *   <dataRoot>/volumes/NAME/_data  named volumes
 *   <dataRoot>/build-contexts/     directories of clients, kept between builds (builder/cache/local-trees.ts)
 *   <dataRoot>/build-history/      records and logs of builds (builder/buildkit/history/history-files.ts)
 *   <dataRoot>/build-mounts/DIR/   what `RUN --mount=type=cache` keeps
 *   <dataRoot>/builds/ID/          of one build: its context; swept before the first build after a start
 *   <runRoot>/containers/ID/       of one run (tmpfs, gone after a reboot): bundle, FIFOs, pid and exit files
 *   <runRoot>/roots/ID             root of a container whose mounts are seen outside; the directory is a private mount
 *   <runRoot>/subpaths/ID-HASH     a path in a volume, mounted for a run (containers/subpaths.ts)
 *   <runRoot>/images/ID-HASH       an image, mounted for a run (containers/image-mounts.ts)
 *   <runRoot>/fifos/N/             FIFOs of coming runs (runtime/fifo-sets.ts)
 *   <runRoot>/starter/             FIFOs of the shell that starts processes (runtime/starter.ts)
 *   <runRoot>/netns/ID             network namespaces (bind mounts)
 *   <runRoot>/shm/ID               /dev/shm of a container that shares it (`--ipc shareable`)
 *   <runRoot>/agents/ID/           a socket that leads to an ssh agent of a client's, for one build
 *   <runRoot>/exports/ID/          a build's result, mounted while its files are sent to the client
 *   <runRoot>/builds/ID/           of one build: secrets, mounted trees
 *   <runRoot>/crun/                crun's own state (`crun --root`)
 */
export interface EnginePaths {
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly database: string;
  readonly lock: string;
  readonly content: string;
  readonly layers: string;
  readonly snapshots: string;
  readonly volumes: string;
  readonly buildContexts: string;
  readonly buildHistory: string;
  readonly agents: string;
  readonly exports: string;
  readonly buildMounts: string;
  readonly builds: string;
  /** On a tmpfs. */
  readonly buildRuns: string;
  readonly netns: string;
  /** For containers that share what they mount. */
  readonly privateRoots: string;
  readonly crun: string;
  readonly fifos: string;
  readonly starter: string;
  container(id: string): string;
  run(id: string): string;
  /** @param destination of the mount */
  subpath(id: string, destination: string): string;
  /** @param destination of the mount */
  imageMount(id: string, destination: string): string;
  /** Where /dev/shm of a container is that shares it. */
  sharedMemory(id: string): string;
  /** How much of a run's output is in the log (logs/checkpoint.ts). */
  logged(id: string): string;
}

export function enginePaths(dataRoot: string, runRoot: string): EnginePaths {
  return {
    dataRoot,
    runRoot,
    database: join(dataRoot, 'engine.db'),
    lock: join(dataRoot, 'engine.lock'),
    content: join(dataRoot, 'content'),
    layers: join(dataRoot, 'layers'),
    snapshots: join(dataRoot, 'snapshots'),
    volumes: join(dataRoot, 'volumes'),
    buildContexts: join(dataRoot, 'build-contexts'),
    buildHistory: join(dataRoot, 'build-history'),
    agents: join(runRoot, 'agents'),
    exports: join(runRoot, 'exports'),
    buildMounts: join(dataRoot, 'build-mounts'),
    builds: join(dataRoot, 'builds'),
    buildRuns: join(runRoot, 'builds'),
    netns: join(runRoot, 'netns'),
    privateRoots: join(runRoot, 'roots'),
    crun: join(runRoot, 'crun'),
    fifos: join(runRoot, 'fifos'),
    starter: join(runRoot, 'starter'),
    container: (id) => join(dataRoot, 'containers', id),
    run: (id) => join(runRoot, 'containers', id),
    subpath: (id, destination) => join(runRoot, 'subpaths', placeName(id, destination)),
    imageMount: (id, destination) => join(runRoot, 'images', placeName(id, destination)),
    sharedMemory: (id) => join(runRoot, 'shm', id),
    logged: (id) => join(runRoot, 'containers', id, 'io', 'logged'),
  };
}

/** One name for a container's mount, whatever its destination holds. */
function placeName(id: string, destination: string): string {
  return `${id}-${hexOf(digestOf(destination)).slice(0, 12)}`;
}
