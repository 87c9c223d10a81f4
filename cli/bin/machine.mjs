#!/usr/bin/env node
const bundle = new URL('../../dist/bundle/cli/main.js', import.meta.url).href;
try {
  const { main } = await import(bundle);
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND' || error.url !== bundle) throw error;
  console.error('Error: machine is not built yet; type "npm run build" in its directory');
  process.exitCode = 1;
}
