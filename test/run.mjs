// The one test command. Layers, in order; each is a folder of test/:
//   unit     host code on this Node, guest code on Node 24; no VM, no root
//   engine   the engine started directly on this Linux host as root, driven by the stock docker CLI
//   compat   clients that others wrote against the engine, natively; what it must answer is dockerd's answer
//   system   real VMs
// Usage: node test/run.mjs [unit|engine|compat|system]...   (default: all). Prints the totals as its last line.
//        node test/run.mjs compat --oracle   plays the tables of compat against dockerd, to prove them
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages, ensurePrograms } from '../cli/bin/requirements.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const asked = process.argv.slice(2).filter((word) => word !== '--oracle');
const layers = ['unit', 'engine', 'compat', 'system'];
if (process.argv.includes('--oracle')) process.env.MACHINE_COMPAT_AGAINST = 'dockerd';
for (const name of asked.filter((a) => !layers.includes(a))) {
  console.error(`unknown layer "${name}"; known: ${layers.join(', ')}`);
  process.exit(2);
}
const wanted = asked.length > 0 ? layers.filter((l) => asked.includes(l)) : layers;

process.chdir(root);
ensurePackages(root);
if (process.platform === 'linux') {
  const missing = await ensurePrograms([
    'qemu',
    'crun',
    'nft',
    'ip',
    'busybox',
    'socat',
    'init',
    'erofs',
    'skopeo',
    'registry',
    'htpasswd',
    'ssh',
    'sshfs',
  ]);
  if (missing.length > 0) console.error(`tests that need ${missing.join(', ')} will say "skipped"`);
}

// Tests whose source is gone must not run.
for (const folder of ['test', 'guest']) rmSync(join('dist', folder), { recursive: true, force: true });
step('tsc', process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
step('biome', process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '.']);
step('bundle', process.execPath, ['cli/bin/build.mjs']);
// Freshly installed, tap is built with all its plugins; built by a run, the plugins left out still load in that run.
step('tap build', process.execPath, ['node_modules/tap/dist/esm/run.mjs', 'build']);

const totals = { pass: 0, fail: 0, skip: 0 };
rmSync('.tap', { recursive: true, force: true });
mkdirSync('.tap', { recursive: true });
const failures = [];
let failed = false;
if (wanted.includes('unit')) {
  suite('unit-host', process.execPath, ['cli', 'drivers', 'images', 'provisioning'], {
    jobs: 2,
    timeoutS: 300,
  });
  suite('unit-guest', guestNode(), ['guest'], { jobs: 2, timeoutS: 120 });
}
if (wanted.includes('engine')) suite('engine', guestNode(), ['engine'], { jobs: 2, timeoutS: 600 });
if (wanted.includes('compat')) suite('compat', guestNode(), ['compat'], { jobs: 1, timeoutS: 1800 });
if (wanted.includes('system')) suite('system', process.execPath, ['system'], { jobs: 2, timeoutS: 1800 });

for (const failure of failures) console.log(failure);
console.log(`${totals.pass} passed, ${totals.fail} failed, ${totals.skip} skipped`);
process.exit(failed ? 1 : 0);

/** One tap run of the compiled tests below `folders` with the given Node; `timeoutS` is each file's. */
function suite(name, node, folders, { jobs, timeoutS }) {
  const files = folders.flatMap((folder) => testFiles(join('dist', 'test', folder)));
  if (files.length === 0) return;
  const output = join('.tap', `${name}.tap`);
  console.error(`\n== ${name}: ${files.length} files`);
  const started = Date.now();
  const { status } = spawnSync(
    node,
    [
      'node_modules/tap/dist/esm/run.mjs',
      'run',
      '-R',
      // Its lines rewrite each other; in a file they would all be there. What failed is told at the end.
      process.stderr.isTTY ? 'terse' : 'silent',
      '-j',
      String(jobs),
      '-t',
      String(timeoutS),
      '-o',
      output,
      ...files,
    ],
    { stdio: ['ignore', 2, 2] },
  );
  const tap = existsSync(output) ? readFileSync(output, 'utf8') : '';
  const counted = count(tap);
  failures.push(...failedTests(tap));
  if (counted === null) {
    console.error(`${name}: tap left no totals (exit code ${status})`);
    totals.fail += 1;
  } else {
    for (const key of Object.keys(totals)) totals[key] += counted[key];
  }
  if (status !== 0 || counted === null) failed = true;
  console.error(`== ${name}: ${JSON.stringify(counted)} in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** tap closes its stream with `# { total: 44, pass: 33, skip: 11 }`. */
function count(tap) {
  const line = tap.match(/^# \{ (.*) \}$/gm)?.at(-1);
  if (line === undefined) return null;
  const number = (key) => Number(line.match(new RegExp(`\\b${key}: (\\d+)`))?.[1] ?? 0);
  return { pass: number('pass'), fail: number('fail'), skip: number('skip') + number('todo') };
}

/** What went wrong and why, each under the names of its subtests; one that failed only by its parts is not repeated. */
function failedTests(tap) {
  const found = [];
  const open = [];
  const lines = tap.split('\n');
  for (const [at, line] of lines.entries()) {
    const [, indent, kind, name] = line.match(/^( *)(# Subtest:|not ok \d+ -) (.*)$/) ?? [];
    if (kind === undefined) continue;
    const depth = indent.length / 4;
    if (kind === '# Subtest:') {
      open.length = depth;
      open[depth] = { name, before: found.length };
    } else if (!/ # (SKIP|TODO)/.test(line) && found.length === (open[depth]?.before ?? found.length)) {
      const names = [...open.slice(0, depth).map((test) => test?.name), name];
      const why = lines.slice(at + 1, at + 40);
      const end = why.findIndex((text) => text.trim() === '...');
      found.push(`not ok: ${names.join(' > ')}`, ...why.slice(0, end === -1 ? why.length : end));
    }
  }
  return found;
}

function testFiles(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, String(name)))
    .filter((path) => path.endsWith('.test.js') && existsSync(sourceOf(path)))
    .sort();
}

/** dist/ may hold what a deleted source left behind. */
function sourceOf(path) {
  return relative('dist', path).replace(/\.js$/, '.ts');
}

/** Guest code runs on Node 24 wherever the tests run. */
function guestNode() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const packaged = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged)) return packaged;
  console.error('guest tests need Node 24: run npm test with it, or on Linux where npm brings it');
  process.exit(1);
}

function step(name, command, args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`${name} failed`);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}
