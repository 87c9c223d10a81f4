// Runs compiled tests, each a process of Node's that writes TAP. Not by tap's own runner, which loads hooks into
// all Node processes below it: no `machine` and no engine would be as users start it, and each a quarter of a
// second late.
import { spawn } from 'node:child_process';

/** As long may somebody hold a test's output after its end. */
const leftBehindMs = 30_000;

/**
 * Runs the files in their order, each as soon as those that run are less than `most` of work together. A file's
 * tests have `timeoutS` to end by themselves; a process that takes half as long again is killed.
 *
 * @param files `{ node, file, timeoutS, work }` each
 * @param onEnd called with each of them and its {@link FileResult}
 */
export async function runFiles(files, most, onEnd) {
  const running = new Map();
  for (const one of files) {
    const busy = () => [...running.keys()].reduce((sum, { work }) => sum + work, 0) >= most;
    while (busy()) await Promise.race(running.values());
    const end = runFile(one).then((result) => {
      running.delete(one);
      onEnd(one, result);
    });
    running.set(one, end);
  }
  await Promise.all(running.values());
}

/**
 * @typedef {object} FileResult
 * @property {string} tap what it wrote
 * @property {number} seconds
 * @property {{ pass: number, fail: number, skip: number }} counted
 * @property {string | null} failure why it failed as a process, whatever its tests say
 */
async function runFile({ node, file, timeoutS }) {
  const started = Date.now();
  // What the log of failures shows are places in the sources.
  const child = spawn(node, ['--enable-source-maps', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TAP_TIMEOUT: String(timeoutS) },
  });
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutS * 1500);
  const end = await new Promise((resolve) => {
    child.once('error', (error) => resolve(`an error: ${error.message}`));
    child.once('close', (code, signal) => resolve(signal ?? code));
    child.once('exit', () => setTimeout(resolve, leftBehindMs, 'a process left behind').unref());
  });
  clearTimeout(timer);
  child.stdout.destroy();
  const tap = Buffer.concat(chunks).toString('utf8');
  const counted = count(tap);
  return { tap, seconds: (Date.now() - started) / 1000, ...judged(counted, end) };
}

/** A process that failed, or that did not come to its totals, is a failure, even if no test of it is. */
function judged(counted, end) {
  const of = counted ?? { pass: 0, fail: 0, skip: 0 };
  const failure =
    end !== 0 && of.fail === 0 ? `ended with ${end}` : counted === null ? 'ended without totals' : null;
  return { counted: failure === null ? of : { ...of, fail: of.fail + 1 }, failure };
}

/** tap closes its stream with `# { total: 44, pass: 33, skip: 11 }`. What it calls "todo" proved nothing, as what was skipped. */
function count(tap) {
  const line = tap.match(/^# \{ (.*) \}$/gm)?.at(-1);
  if (line === undefined) return null;
  const number = (key) => Number(line.match(new RegExp(`\\b${key}: (\\d+)`))?.[1] ?? 0);
  return { pass: number('pass'), fail: number('fail'), skip: number('skip') + number('todo') };
}
