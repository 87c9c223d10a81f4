import type { ApiServer } from '../api/server.ts';
import type { EngineConfig, Listen } from '../config.ts';
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
  const addresses: string[] = [];
  for (const listen of config.listen) addresses.push(await serve(engine.api, listen));
  endOnSignals({
    engine,
    log,
    reloadTls: async () => {
      if (tls) engine.api.renewTls(await readTls(tls));
    },
  });
  log.info({ pid: process.pid, addresses, startMs: Math.round(performance.now()) }, 'the API answers');
}

/** Where it is really served: port 0 asks for a free one. */
async function serve(api: ApiServer, listen: Listen): Promise<string> {
  if (listen.kind === 'unix') {
    await api.listenUnix(listen.path);
    return `unix://${listen.path}`;
  }
  const port = await api.listenTls(listen.host, listen.port, await readTls(listen.files));
  return `tcp://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`;
}
