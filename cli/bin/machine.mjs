#!/usr/bin/env node
import { existsSync } from 'node:fs';

const bundle = new URL('../../dist/bundle/cli/main.js', import.meta.url);
if (existsSync(bundle)) {
  const { main } = await import(bundle.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error('Error: machine is not built yet; type "npm run build" in its directory');
  process.exitCode = 1;
}
