import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { useBuildx } from '../helpers/buildx.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { runCommand } from '../helpers/run-command.ts';
import { debianClients } from './debian-clients.ts';
import { cannotPlay, openSubject } from './subject.ts';

const skip = cannotPlay() ?? enterOwnNetwork() ?? false;
t.setTimeout(300_000);

/** The stock CLI with Debian's compose 2.26 as its plugin; a reason when it cannot be had. */
async function openCompose(t: Test) {
  if (debianClients instanceof Error) return debianClients.message;
  const subject = await openSubject(t);
  await useBuildx(subject.env);
  const file = join('test', 'fixtures', 'compose', 'shop.yaml');
  const compose = async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await subject.docker(['compose', '-f', file, ...args], {
      timeoutMs: 120_000,
    });
    if (exitCode !== 0) throw new Error(`docker compose ${args.join(' ')} failed (${exitCode}): ${stderr}`);
    return stdout;
  };
  return { subject, compose };
}

t.test('docker compose: a project of several services', { skip, timeout: 300_000 }, async (t) => {
  const opened = await openCompose(t);
  if (typeof opened === 'string') return t.plan(0, `compose cannot be had: ${opened}`);
  const { subject, compose } = opened;
  const lines = (text: string) => text.trim().split('\n').filter(Boolean).sort();

  await compose('up', '-d', '--quiet-pull');
  t.teardown(() => subject.docker(['compose', '-p', 'shop', 'down', '-v', '-t', '0']));
  t.same(lines(await compose('ps', '--format', '{{.Service}} {{.State}}{{if .Health}} {{.Health}}{{end}}')), [
    'db running healthy',
    'web running',
    'worker running',
    'worker running',
  ]);
  t.same(lines(await compose('ps', '-a', '--services')), ['db', 'seed', 'web', 'worker']);
  t.match(lines(await compose('ls', '--format', 'json')), [/"Name":"shop"/]);

  const page = await runCommand('busybox', ['wget', '-qO-', 'http://127.0.0.1:18040/']);
  t.equal(page.stdout, 'seeded\n', 'a published port leads to what the seed wrote');
  t.equal(await compose('exec', '-T', 'web', 'cat', '/etc/motd'), 'welcome\n', 'a config');
  t.equal(await compose('exec', '-T', 'web', 'cat', '/run/secrets/key'), 'not very secret\n', 'a secret');
  t.equal(await compose('exec', '-T', 'db', 'sh', '-c', 'echo $MODE'), 'test\n');
  t.match(
    await compose('exec', '-T', 'worker', 'wget', '-qO-', 'http://shop.internal/'),
    /seeded/,
    'a service is found by its alias',
  );
  t.match(await compose('exec', '-T', '--index', '2', 'worker', 'ping', '-c', '1', '-W', '2', 'db'), / 0% /);
  t.match(await compose('logs', '--no-color', 'db'), /db-1 +\| db is up/);
  t.equal(lines(await compose('logs', '--no-color', 'worker')).length, 2, 'logs of both workers');
  t.equal((await compose('port', 'web', '80')).trim(), '127.0.0.1:18040');
  t.match(await compose('top', 'worker'), /sleep 1000/);
  t.match(await compose('images', '--format', 'json'), /busybox/);

  await compose('up', '-d', '--scale', 'worker=3', '--no-recreate');
  t.equal(lines(await compose('ps', '-q', 'worker')).length, 3, 'scaled up');
  await compose('up', '-d', '--scale', 'worker=1', '-t', '0');
  t.equal(lines(await compose('ps', '-q', 'worker')).length, 1, 'scaled down');
  await compose('--profile', 'debug', 'up', '-d', '--scale', 'worker=1');
  t.ok(lines(await compose('--profile', 'debug', 'ps', '--services')).includes('debug'), 'a profile');
  t.equal(await compose('run', '--rm', '-T', 'worker', 'echo', 'once'), 'once\n');
  t.equal(await compose('run', '--rm', '-T', '--no-deps', '-e', 'X=1', 'db', 'sh', '-c', 'echo $X'), '1\n');

  const before = (await compose('ps', '-q', 'web')).trim();
  await compose('up', '-d', '--force-recreate', '--no-deps', 'web');
  t.not((await compose('ps', '-q', 'web')).trim(), before, 'recreated');
  await compose('restart', '-t', '0', 'web');
  await compose('pause', 'web');
  t.match(await compose('ps', '--format', '{{.Service}} {{.State}}', 'web'), /web paused/);
  await compose('unpause', 'web');
  await compose('cp', 'web:/etc/motd', join(subject.directory, 'motd'));
  await compose('stop', '-t', '0', 'worker');
  await compose('start', 'worker');
  await compose('kill', 'worker');
  await compose('rm', '-f', 'worker');

  await compose('--profile', 'debug', 'down', '-v', '-t', '0');
  t.equal(await subject.output(['ps', '-aq']), '', 'no container is left');
  t.equal(await subject.output(['volume', 'ls', '-q']), '', 'no volume is left');
  t.equal(await subject.output(['network', 'ls', '-qf', 'type=custom']), '', 'no network is left');
});

t.test('docker compose up in the foreground ends with its service', { skip }, async (t) => {
  const opened = await openCompose(t);
  if (typeof opened === 'string') return t.plan(0, `compose cannot be had: ${opened}`);
  const { subject } = opened;
  const file = join(subject.directory, 'one.yaml');
  await writeFile(
    file,
    'name: one\nservices: {a: {image: busybox, command: "sh -c \'echo said; exit 7\'"}}\n',
  );
  const up = await subject.docker(['compose', '-f', file, 'up', '--exit-code-from', 'a']);
  t.match(up, { exitCode: 7, stdout: /said/ });
  t.match(await subject.docker(['compose', '-f', file, 'down']), { exitCode: 0 });
});
