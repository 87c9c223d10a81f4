import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runCommand } from '../helpers/run-command.ts';
import { MachineHarness } from './machine-harness.ts';

/** What people develop: a page on this computer, served by a container, in a browser of this computer. */
const names = ['chromium', 'chromium-browser', 'google-chrome'];
const browser = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((directory) => names.map((name) => join(directory, name)))
  .find((path) => existsSync(path));
const missing = MachineHarness.missing() ?? (browser ? undefined : 'no Chromium on this computer');

/** A browser gets six at once by connections of their own. */
const parts = Array.from({ length: 12 }, (_, i) => `part ${i}`);
const page = (title: string) => `<title>${title}</title><p>nothing yet</p><script>
const get = async (i) => (await fetch('/' + i)).text();
Promise.all(Array.from({ length: ${parts.length} }, (_, i) => get(i))).then((texts) => {
  document.querySelector('p').textContent = texts.join();
});
</script>`;

t.test('a page of a container', { ...(missing && { skip: missing }), timeout: 1_200_000 }, async (t) => {
  const harness = await MachineHarness.openFor(t);
  const www = join(harness.store, 'www');
  await mkdir(www);
  for (const [i, part] of parts.entries()) await writeFile(join(www, `${i}`), part);
  await writeFile(join(www, 'index.html'), page('before'));
  await harness.succeed('create', 'dev');
  const server = ['busybox', 'httpd', '-f', '-p', '80', '-h', '/www'];
  const run = ['run', '-d', '-p', '18590:80', '-v', `${www}:/www:ro`, ...server];
  const served = await harness.docker('dev', run);
  t.equal(served.exitCode, 0, served.stderr);

  const shown = async () => {
    const profile = `--user-data-dir=${join(harness.store, 'profile')}`;
    // Its sandbox refuses root, and its time stands still while something is loaded.
    const headless = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=60000', profile];
    const { stdout } = await runCommand(browser!, [...headless, '--dump-dom', 'http://localhost:18590/']);
    return stdout;
  };
  const first = await shown();
  t.match(first, '<title>before</title>');
  t.match(first, `<p>${parts.join()}</p>`);
  await writeFile(join(www, 'index.html'), page('after'));
  // What programs in a machine have read is kept for two seconds at most.
  await delay(2500);
  t.match(await shown(), '<title>after</title>', 'the page as it was changed');
});
