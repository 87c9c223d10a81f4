import type { Engine } from '../engine.ts';
import type { Logger } from '../log.ts';

/** Ends the engine once, however many signals come. `afterwards` runs when it is closed, before the exit. */
export function endOnSignals(options: {
  readonly engine: Engine;
  readonly log: Logger;
  readonly reloadTls: () => Promise<void>;
  readonly afterwards?: () => Promise<void>;
}): void {
  const { engine, log } = options;
  let ending = false;
  const end = async (signal: string, stopContainers: boolean) => {
    if (ending) return;
    ending = true;
    log.info({ signal }, stopContainers ? 'stopping containers and ending' : 'ending; containers run on');
    try {
      if (stopContainers) await engine.stopContainers();
      await engine.close();
      await options.afterwards?.();
      process.exit(0);
    } catch (error) {
      log.error({ error }, 'did not end cleanly');
      process.exit(70);
    }
  };
  process.on('SIGTERM', () => void end('SIGTERM', false));
  process.on('SIGINT', () => void end('SIGINT', false));
  process.on('SIGPWR', () => void end('SIGPWR', true));
  process.on('SIGHUP', () => {
    options.reloadTls().then(
      () => log.info({}, 'certificates renewed'),
      (error: unknown) => log.error({ error }, 'the certificates stay as they were'),
    );
  });
}
