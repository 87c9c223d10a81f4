import type { Logger } from '../log.ts';

/**
 * What happens to mistakes of ours that nobody caught.
 *
 * A rejected promise that nobody awaited: logged, and the engine serves on; the work it belonged to failed
 * alone. An exception thrown from an event handler may have left any state half-changed: logged, and the
 * process ends, to be started again by its init. That is cheap and safe here, since records are durable and
 * containers outlive the agent; going on with wrong state is neither.
 */
export function installPolicies(log: Logger): void {
  process.on('unhandledRejection', (error) =>
    log.error({ error }, 'a promise was rejected and nobody cared'),
  );
  process.on('uncaughtException', (error) => {
    log.error({ error }, 'an exception that nobody caught; the engine ends');
    process.exit(70);
  });
}
