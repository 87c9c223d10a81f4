import { main } from '../../cli/main.ts';

/** What `cli/bin/machine.mjs` does with the bundle, with the compiled files: tests need no bundle. */
process.exitCode = await main(process.argv.slice(2));
