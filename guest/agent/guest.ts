import { flushCompileCache } from 'node:module';
import { uptime } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { agentVersion } from '../agent-version.ts';
import { apiVersion } from '../api/versions.ts';
import type { EngineConfig } from '../config.ts';
import { startEngine } from '../engine.ts';
import { run } from '../host/exec.ts';
import type { Logger } from '../log.ts';
import type { Hello, ToAgent } from '../wire/index.ts';
import { activity } from './activity.ts';
import { readBootConfig } from './boot-config.ts';
import { resumeAsMachine } from './checkpoint.ts';
import { GuestClock } from './clock.ts';
import { proxiesFrom } from './host-settings.ts';
import { findAgentPort, openAgentPort, sayOnce } from './port.ts';
import { bringUpProcessors } from './processors.ts';
import { endOnSignals } from './signals.ts';
import { readTls, renewedTls } from './tls.ts';

/** The engine as the purpose of a VM of ours: told by the host at power-on, announced to it when ready. */
export async function startInGuest(config: EngineConfig, log: Logger): Promise<void> {
  if (config.checkpoint) await resumeAsMachine();
  const port = await findAgentPort();
  try {
    await serve(config, port, log);
  } catch (error) {
    if (port) await tellFailure(port, error as Error);
    throw error;
  }
}

async function serve(config: EngineConfig, portPath: string | null, log: Logger): Promise<void> {
  const boot = await readBootConfig();
  const proxies = proxiesFrom(boot.host.proxies, config.network.publishThrough);
  Object.assign(process.env, proxies, boot.engine.env);
  const engine = await startEngine(
    {
      ...config,
      ...{ authorities: boot.host.authorities, ...boot.engine },
      ...{ directories: boot.directories, directoriesBy: boot.directoriesBy },
    },
    log,
  );
  let onFirstImages = () => {};
  engine.api.holdUntil(
    new Promise((resolve) => {
      onFirstImages = resolve;
    }),
  );
  for (const listen of config.listen) if (listen.kind === 'unix') await engine.api.listenUnix(listen.path);
  await engine.api.listenTls('0.0.0.0', 2376, boot.tls);

  const clock = new GuestClock();
  const answer = (message: ToAgent) => {
    if (message.type === 'who') return hello();
    if (message.type === 'activity') return activity(engine, message, log);
    return clock.hear(message).catch((error: unknown) => {
      log.error({ error }, 'the clock was not set');
      return null;
    });
  };
  const port = portPath ? await openAgentPort(portPath, { greeting: hello, answer, log }) : null;
  if (!port) log.warn({}, 'this VM has no port to its host; nobody is told that the API answers');

  endOnSignals({
    engine,
    log,
    reloadTls: async () => engine.api.renewTls(await readTls(renewedTls)),
    afterwards: async () => port?.[Symbol.asyncDispose](),
  });
  log.info({ uptimeMs: uptimeMs(), startMs: Math.round(performance.now()) }, 'the API answers');
  // The host's word goes first: it ends the waiting of `machine create`.
  await Promise.race([port?.heard, setTimeout(1000)]);
  const attempt = (what: string, work: Promise<void>) =>
    work.catch((error: unknown) => log.error({ error }, `${what} failed`));
  await attempt('bringing up the other processors', bringUpProcessors());
  // Else the first container's mount waits for it.
  await attempt('loading the overlay module', modprobe('overlay'));
  await attempt('loading the first images', engine.loadImages('/opt/machine/images'));
  onFirstImages();
  await attempt('preparing for the first requests', engine.warmUp());
  // For the next start (NODE_COMPILE_CACHE): a machine that loses power writes nothing at its end.
  flushCompileCache();
}

async function modprobe(module: string): Promise<void> {
  await run('modprobe', [module]);
}

function hello(): Hello {
  return { type: 'hello', version: 1, agentVersion, apiVersion, state: 'ready', uptimeMs: uptimeMs() };
}

function uptimeMs(): number {
  return Math.round(uptime() * 1000);
}

/** Best effort: the same error also goes to the console. Waits for a host to hear it, but not for ever. */
async function tellFailure(path: string, { message }: Error): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  await sayOnce(path, { type: 'failure', version: 1, message }, signal).catch(() => {});
}
