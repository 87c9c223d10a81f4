import type { Route } from './api/handler.ts';
import { archiveRoutes } from './api/routes/archive.ts';
import { buildRoutes } from './api/routes/build.ts';
import { buildKitRoutes } from './api/routes/buildkit.ts';
import { commitRoutes } from './api/routes/commit.ts';
import { containerProcessRoutes } from './api/routes/container-processes.ts';
import { containerPruneRoutes } from './api/routes/container-prune.ts';
import { containerQueryRoutes, containerSummaries } from './api/routes/container-queries.ts';
import { containerStreamRoutes } from './api/routes/container-streams.ts';
import { containerRoutes } from './api/routes/containers.ts';
import { diskUsageRoutes } from './api/routes/disk-usage.ts';
import { eventsRoutes } from './api/routes/events.ts';
import { execRoutes } from './api/routes/exec.ts';
import { hostChangesRoutes } from './api/routes/host-changes.ts';
import { hostNamesRoutes } from './api/routes/host-names.ts';
import { imageRoutes } from './api/routes/images.ts';
import { networkRoutes } from './api/routes/networks.ts';
import { publishedPortsRoutes } from './api/routes/published-ports.ts';
import { registryRoutes } from './api/routes/registries.ts';
import { sshAgentRoutes } from './api/routes/ssh-agent.ts';
import { swarmStubRoutes } from './api/routes/swarm-stubs.ts';
import { systemRoutes } from './api/routes/system.ts';
import { updateRoutes } from './api/routes/update.ts';
import { volumeRoutes, volumesWithUsage } from './api/routes/volumes.ts';
import { type ApiServer, createApiServer } from './api/server.ts';
import type { BuildKit } from './builder/buildkit/index.ts';
import { LocalTrees } from './builder/cache/local-trees.ts';
import { lazyBuilder } from './builder/lazy-builder.ts';
import type { EngineConfig } from './config.ts';
import { machineSources, ownSources } from './containers/bind-sources.ts';
import { ContainerStore } from './containers/container-store.ts';
import { Containers } from './containers/containers.ts';
import type { Dependencies } from './containers/dependencies.ts';
import { mayRun } from './containers/state.ts';
import { createEventBus } from './events/bus.ts';
import { ExecSessions } from './exec/exec-sessions.ts';
import { trustAuthorities } from './host/authorities.ts';
import { run } from './host/exec.ts';
import { readHostSystem } from './host/system.ts';
import { HostFiles } from './host-services/host-changes.ts';
import { HostSshAgent } from './host-services/ssh-agent.ts';
import { loadFirstImages } from './images/first-load.ts';
import { openImages } from './images/index.ts';
import { listImages } from './images/list.ts';
import type { Logger } from './log.ts';
import { openNetworks } from './network/index.ts';
import type { Registry } from './registry/index.ts';
import { CgroupLocation } from './runtime/cgroup-location.ts';
import { CrunRuntime } from './runtime/crun-runtime.ts';
import { bodies } from './schema/bodies.ts';
import { openDatabase } from './store/database.ts';
import { lockDataRoot } from './store/lock.ts';
import { openMeta, readBootId } from './store/meta.ts';
import { enginePaths } from './store/paths.ts';
import { makeRoot } from './store/roots.ts';
import { LocalVolumes } from './volumes/index.ts';

export interface Engine {
  readonly api: ApiServer;
  /** Does now what the first requests would wait for. */
  warmUp(): Promise<void>;
  /** Takes in every image archive of a directory, once: at the first start on a data root. */
  loadImages(directory: string): Promise<void>;
  /** How long nobody has been connected, no container has lived and nothing has happened; zero while that is not so. */
  idleMs(): number;
  /** Before the computer goes down: every container, by its own signal and deadline. */
  stopContainers(): Promise<void>;
  /** Stops serving and lets go of the data root. Containers run on. */
  close(): Promise<void>;
}

/**
 * The composition root: every part of the engine is made here, in the order in which they need each other,
 * and each part's routes are mounted here. Nothing else in the engine builds its own dependencies. When it
 * returns, records and reality agree and the API may be served.
 */
export async function startEngine(config: EngineConfig, log: Logger): Promise<Engine> {
  const paths = enginePaths(config.dataRoot, config.runRoot);
  makeRoot('--data-root', paths.dataRoot);
  makeRoot('--run-root', paths.runRoot);
  const lock = lockDataRoot(paths.lock);
  const db = openDatabase(paths.database);
  const meta = openMeta(db, readBootId());
  const host = readHostSystem({ isMachine: config.directories !== null });
  const events = createEventBus();

  // Containers are asked who uses what; they come last, since they need all the rest.
  const images = await openImages({
    db,
    paths,
    events,
    usersOf: (id) => containers.usersOfImage(id),
  });

  const { networks, sandboxes, names } = await openNetworks(db, config.network, events);
  const volumes = await LocalVolumes.open({
    db,
    directory: paths.volumes,
    events,
    usersOf: (name) => containers.usersOfVolume(name),
  });

  const cgroups = new CgroupLocation({
    parent: config.cgroupParent,
    version: host.cgroupVersion,
    parentOf: (id) => containers.cgroupParentOf(id),
  });
  const runtime = new CrunRuntime(paths, cgroups);
  const sshAgent = config.sshAgentSocket === null ? null : new HostSshAgent();
  if (config.sshAgentSocket !== null) await sshAgent?.listen(config.sshAgentSocket);
  const deps: Dependencies = {
    store: new ContainerStore(db),
    paths,
    runtime,
    snapshotter: images.snapshots,
    images: images.images,
    networks: sandboxes,
    volumes,
    bindSources: config.directories === null ? ownSources : machineSources(config.directories, { sshAgent }),
    events,
    cgroups,
    host,
    log,
  };
  const containers = new Containers(deps);
  const hostFiles =
    config.directories === null || config.directories.length === 0
      ? null
      : new HostFiles({
          directories: config.directories,
          directoriesBy: config.directoriesBy,
          mountedAt: '/run/machine/files',
          boundSources: () => containers.boundSources(),
        });
  if (hostFiles !== null)
    events.subscribe(({ type, action }) => {
      if (type === 'container' && (action === 'start' || action === 'die')) hostFiles.changed();
    });
  const execs = new ExecSessions(deps);
  await sandboxes.reconcile(await containers.restore());
  void containers.resume();

  // Loaded when somebody wants it first: its HTTP and TLS clients are half as much as all the rest.
  let client: Promise<Registry> | undefined;
  const registry = () => {
    client ??= import('./registry/index.ts').then(({ Registry }) => {
      const { insecureRegistries, registryMirrors, authorities } = config;
      trustAuthorities(authorities);
      return new Registry(images, { insecureRegistries, registryMirrors });
    });
    return client;
  };

  const trees = new LocalTrees(paths.buildContexts);
  const openBuilder = await lazyBuilder({
    ...deps,
    neighbours: containers,
    db,
    leases: images.leases,
    layers: images.layers,
    images: images.images,
    trees,
    registry,
    cacheLimitBytes: config.buildCacheLimitBytes,
  });

  let buildKit: Promise<BuildKit> | undefined;
  const openBuildKit = () => {
    buildKit ??= makeBuildKit();
    return buildKit;
  };
  const makeBuildKit = async () => {
    const { createBuildKit } = await import('./builder/buildkit/index.ts');
    return createBuildKit({
      builder: await openBuilder(),
      images: images.images,
      layers: images.layers,
      originals: images.originals,
      registry,
      events,
      engineId: meta.engineId,
      trees,
      builds: paths.builds,
      buildHistory: paths.buildHistory,
      agents: paths.agents,
      exports: paths.exports,
      snapshotter: images.snapshots,
      hostGateway: () => networks.get('bridge').ipv4?.gateway ?? null,
    });
  };

  const routes: Route[] = [
    ...systemRoutes({
      config,
      host,
      events,
      engineId: meta.engineId,
      counts: () => ({ ...containers.counts(), images: images.images.count() }),
      runtimeVersion,
    }),
    ...eventsRoutes(events),
    ...diskUsageRoutes({
      layerBytes: () => images.layers.totalBytes() + images.originals.totalBytes(),
      images: (apiMinor) =>
        listImages(images, {
          all: false,
          filters: new Map(),
          apiMinor,
          containers: true,
          sharedSize: true,
          manifests: false,
        }),
      containers: () => containerSummaries(containers.list(), { ...deps, containers }, { size: true }),
      volumes: () => volumesWithUsage(volumes),
      buildCache: async () => (await openBuilder()).cache.usage(),
    }),
    ...containerRoutes(containers),
    ...containerQueryRoutes({ containers, execs, deps }),
    ...containerStreamRoutes(containers),
    ...containerProcessRoutes(containers, deps),
    ...containerPruneRoutes(containers, images.snapshots, events),
    ...commitRoutes({ containers, committer: images.maker, images: images.images }),
    ...archiveRoutes({ containers, deps }),
    ...updateRoutes(containers, host),
    ...execRoutes({ containers, execs }),
    ...imageRoutes(images, registry),
    ...registryRoutes({ images: images.images, registry }),
    ...networkRoutes({ networks, containers, events }),
    ...publishedPortsRoutes(sandboxes.ports),
    ...(hostFiles === null ? [] : hostChangesRoutes(hostFiles)),
    ...(names === null ? [] : hostNamesRoutes(names.host)),
    ...(sshAgent === null ? [] : sshAgentRoutes(sshAgent)),
    ...volumeRoutes(volumes, events),
    ...buildRoutes(openBuilder, {
      images: images.images,
      events,
      builds: paths.builds,
      buildKit: openBuildKit,
    }),
    ...buildKitRoutes(openBuildKit, log),
    ...swarmStubRoutes(),
  ];
  const api = createApiServer({ routes, log });
  return {
    api,
    async warmUp() {
      await bodies();
      sandboxes.prepareLater();
    },
    loadImages: (directory) => loadFirstImages(images, directory),
    idleMs() {
      const lives = containers.list().some(({ record: { state } }) => mayRun(state));
      const lastEventMs = Number((events.history().at(-1)?.timeNano ?? 0n) / 1_000_000n);
      return lives ? 0 : Math.min(api.idleMs(), Date.now() - lastEventMs);
    },
    stopContainers: () => containers.stopAll(),
    async close() {
      await api.close();
      sshAgent?.close();
      names?.close();
      containers.leave();
      await sandboxes.close();
      await runtime.close();
      // The database is left open: its log keeps its place on the disk (store/database.ts).
      lock[Symbol.dispose]();
    },
  };
}

let crunVersion: Promise<string> | undefined;

/** Asked for once, when somebody wants to know. */
function runtimeVersion(): Promise<string> {
  crunVersion ??= run('crun', ['--version']).then(
    ({ stdout }) => /crun version (\S+)/.exec(stdout.toString())?.[1] ?? 'unknown',
  );
  return crunVersion;
}
