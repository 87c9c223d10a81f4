import { installPolicies } from './agent/policies.ts';
import { parseConfig } from './config.ts';
import { EngineError } from './errors.ts';
import { createLogger } from './log.ts';

/**
 * `agent.cjs engine …`: the engine as a process. Started by init in a VM of ours (`--guest`), or directly on
 * a Linux host. SIGTERM and SIGINT end it and leave containers running; SIGPWR stops them first; SIGHUP
 * reads the certificates again.
 */
async function main(args: readonly string[]): Promise<void> {
  const [command, ...flags] = args;
  if (command !== 'engine') throw new Usage(`unknown command "${command ?? ''}"; expected: engine [flags]`);
  const config = parseConfig(flags);
  const log = createLogger({
    level: config.debug ? 'debug' : 'info',
    write: (line) => process.stderr.write(line),
  });
  installPolicies(log);
  if (config.guest) await (await import('./agent/guest.ts')).startInGuest(config, log);
  else await (await import('./agent/native.ts')).startOnHost(config, log);
}

class Usage extends Error {}

// No top-level await: the bundle is CommonJS.
main(process.argv.slice(2)).catch((error: unknown) => {
  const expected = error instanceof EngineError || error instanceof Usage;
  process.stderr.write(`machine engine: ${expected ? error.message : ((error as Error).stack ?? error)}\n`);
  process.exit(expected ? 1 : 70);
});
