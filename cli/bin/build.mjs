// Bundles what ships: the CLI (split, so that heavy parts load only when a command needs them) and the
// agent (one file for the guest). Sources are bundled straight from TypeScript; tsc is for checking.
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const out = (name) => join(root, 'dist', 'bundle', name);

/**
 * CommonJS packages inside an ES module bundle look for these. Made once and without an import, because the
 * banner stands in every part of the CLI, and loading node:module or node:url as ES modules takes its time.
 */
const banner = {
  js: "globalThis.require ??= process.getBuiltinModule('module').createRequire(import.meta.url);",
};
const define = { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' };

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  loader: { '.node': 'empty' },
  external: ['cpu-features', 'openpgp'],
  logLevel: 'warning',
  legalComments: 'none',
};

await rm(out(''), { recursive: true, force: true });
await Promise.all([
  build({
    ...common,
    entryPoints: { main: 'cli/main.ts' },
    outdir: out('cli'),
    format: 'esm',
    banner,
    define,
    splitting: true,
    chunkNames: 'part-[hash]',
    target: 'node20.20',
    minifySyntax: true,
    minifyWhitespace: true,
  }),
  build({
    ...common,
    entryPoints: { agent: 'guest/main.ts' },
    outdir: out('agent'),
    // Importing a builtin as an ES module makes Node read all that it exports, and reading all of node:http
    // loads a whole web client: a quarter of the agent's start.
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    target: 'node24',
    // Names stay, for classes of errors and for stacks; keepNames would set each of them at run time.
    minifySyntax: true,
    minifyWhitespace: true,
  }),
]);
