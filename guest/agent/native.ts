import type { EngineConfig } from '../config.ts';
import { startEngine } from '../engine.ts';
import { Forbidden } from '../errors.ts';
import { enterMountNamespace } from '../host/mount-namespace.ts';
import type { Logger } from '../log.ts';
import { endOnSignals } from './signals.ts';
import { readTls } from './tls.ts';

/** The engine on a Linux host: root, and a mount namespace of its own. */
export async function startOnHost(config: EngineConfig, log: Logger): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Forbidden('the engine needs Linux and root; try sudo');
  }
  enterMountNamespace();
  const engine = await startEngine(config, log);
  const tls = config.listen.find((listen) => listen.kind === 'tls')?.files ?? null;
  for (const listen of config.listen) {
    if (listen.kind === 'unix') await engine.api.listenUnix(listen.path);
    else await engine.api.listenTls(listen.host, listen.port, await readTls(listen.files!));
  }
  endOnSignals({
    engine,
    log,
    reloadTls: async () => {
      if (tls) engine.api.renewTls(await readTls(tls));
    },
  });
  log.info({ pid: process.pid, listen: config.listen.map(({ kind }) => kind) }, 'the API answers');
}
