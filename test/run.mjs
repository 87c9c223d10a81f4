// The one test command. Layers, in order; each is a folder of test/:
//   unit     host code on this Node, guest code on Node 24; no VM, no root
//   engine   the engine started directly on this Linux host as root, driven by the stock docker CLI
//   compat   clients that others wrote against the engine, natively; what it must answer is dockerd's answer
//   system   real VMs
// Usage: node test/run.mjs [unit|engine|compat|system]...   (default: all). Prints the totals as its last line.
//        node test/run.mjs compat --oracle   plays the tables of compat against dockerd, to prove them
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages, ensurePrograms } from '../cli/bin/requirements.mjs';
import { runFiles } from './run-files.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const asked = process.argv.slice(2).filter((word) => word !== '--oracle');
const layers = ['unit', 'engine', 'compat', 'system'];
if (process.argv.includes('--oracle')) process.env.MACHINE_COMPAT_AGAINST = 'dockerd';
for (const name of asked.filter((a) => !layers.includes(a))) {
  console.error(`unknown layer "${name}"; known: ${layers.join(', ')}`);
  process.exit(2);
}
const wanted = asked.length > 0 ? layers.filter((l) => asked.includes(l)) : layers;

/** Files that take long, by last count. */
const slow = [
  ...['cli/commands', 'cli/interrupted-create', 'cli/copy'],
  ...[
    'engine/network-cli',
    'engine/logs',
    'engine/build-buildkit',
    'engine/build',
    'engine/build-buildkit-corpus',
  ],
  'compat/transcripts',
  ...['system/suspend', 'system/resources'],
  ...['system/virtiofs', 'system/directories', 'system/architectures', 'system/api-socket'],
  ...['system/supervisor', 'system/boot', 'system/ports', 'system/compat', 'system/file-events'],
  ...['system/survival', 'system/checkpoint', 'system/copy', 'system/ssh-agent'],
];

/** How many are run at a time, by how much they work while they run: two VMs, or three engines, which wait more. */
const [half, third] = [3, 2];
/** VMs that mostly wait to be idle: beside two others. */
const restful = [
  ['system/suspend', 1],
  ['system/resources', 2],
];

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

rmSync('.tap', { recursive: true, force: true });
mkdirSync('.tap', { recursive: true });
const suites = [
  {
    layer: 'unit',
    name: 'unit-host',
    folders: ['cli', 'drivers', 'images', 'provisioning'],
    timeoutS: 300,
    work: half,
  },
  { layer: 'unit', name: 'unit-guest', folders: ['guest'], node: guestNode, timeoutS: 120, work: half },
  { layer: 'engine', name: 'engine', folders: ['engine'], node: guestNode, timeoutS: 600, work: third },
  { layer: 'compat', name: 'compat', folders: ['compat'], node: guestNode, timeoutS: 1800, work: third },
  { layer: 'system', name: 'system', folders: ['system'], timeoutS: 1800, work: half },
].filter(({ layer }) => wanted.includes(layer));
const files = suites.flatMap(({ name, folders, timeoutS, work, node = () => process.execPath }) => {
  const found = folders.flatMap((folder) => testFiles(join('dist', 'test', folder)));
  return longestFirst(found).map((file) => ({
    ...{ suite: name, file, node: node(), timeoutS },
    work: restful.find(([name]) => isOf(file, name))?.[1] ?? work,
  }));
});

// There is one dockerd.
const most = process.env.MACHINE_COMPAT_AGAINST === 'dockerd' ? 1 : half + half;
const totals = { pass: 0, fail: 0, skip: 0 };
const failures = [];
const started = Date.now();
let ended = 0;
await runFiles(files, most, ({ suite, file }, { tap, seconds, counted, failure }) => {
  for (const key of Object.keys(totals)) totals[key] += counted[key];
  ended += 1;
  const isGood = counted.fail === 0;
  const verdict = `${isGood ? 'ok' : 'not ok'} ${ended} - ${file}`;
  console.error(`${verdict} of ${files.length}: ${seconds.toFixed(1)} s`);
  // Made into one stream as tap's runner does, for other programs that read it.
  const indented = tap.replace(/^TAP version .*\n/, '').replace(/^(?=.)/gm, '    ');
  const whole = `# Subtest: ${file}\n${indented}\n${verdict} # time=${Math.round(seconds * 1000)}ms\n`;
  appendFileSync(join('.tap', `${suite}.tap`), `${whole}\n`);
  if (failure !== null) failures.push(`not ok: ${file}: ${failure}`);
  if (!isGood) failures.push(...failedTests(whole));
});

for (const failure of failures) console.log(failure);
console.error(`${files.length} files in ${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${totals.pass} passed, ${totals.fail} failed, ${totals.skip} skipped`);
process.exit(totals.fail > 0 ? 1 : 0);

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

function isOf(file, name) {
  return file.endsWith(join('test', `${name}.test.js`));
}

/** Those that take a minute first, the longest before the others: none of them shall end alone. */
function longestFirst(files) {
  const place = (file) => {
    const at = slow.findIndex((name) => isOf(file, name));
    return at === -1 ? slow.length : at;
  };
  return files.sort((a, b) => place(a) - place(b));
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
