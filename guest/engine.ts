import { mkdir } from 'node:fs/promises';
import type { Route } from './api/handler.ts';
import { pingRoutes } from './api/routes/ping.ts';
import { type ApiServer, createApiServer } from './api/server.ts';
import { createEventBus, type EventBus } from './events/bus.ts';
import type { Logger } from './log.ts';
import { defaultNetworkOptions, type NetworkOptions, openNetworks } from './network/index.ts';
import { openDatabase } from './store/database.ts';
import { lockDataRoot } from './store/lock.ts';
import { enginePaths } from './store/paths.ts';

export interface EngineConfig {
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly network?: NetworkOptions;
}

export interface Engine {
  readonly api: ApiServer;
  readonly events: EventBus;
  /** Stops serving and lets go of the data root. Containers run on. */
  close(): Promise<void>;
}

/**
 * The composition root: every part of the engine is made here, in the order in which they need each other,
 * and each part's routes are mounted here. Nothing else in the engine builds its own dependencies.
 */
export async function startEngine(config: EngineConfig, log: Logger): Promise<Engine> {
  const paths = enginePaths(config.dataRoot, config.runRoot);
  await mkdir(paths.dataRoot, { recursive: true, mode: 0o700 });
  await mkdir(paths.runRoot, { recursive: true, mode: 0o700 });
  const lock = await lockDataRoot(paths.lock);
  const database = openDatabase(paths.database);
  const events = createEventBus();

  // Layers, images
  const networks = await openNetworks(database, config.network ?? defaultNetworkOptions);
  // Volumes
  // Runtime, containers

  const routes: Route[] = [...pingRoutes()];
  const api = createApiServer({ routes, log });
  return {
    api,
    events,
    async close() {
      await api.close();
      await networks.close();
      database.close();
      await lock[Symbol.asyncDispose]();
    },
  };
}
