import {
  appendFile,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { bring } from '../helpers/bring.ts';
import { nodeOfMachine, nodeWatcher } from '../helpers/node-watcher.ts';
import { MachineHarness } from './machine-harness.ts';

const missing = MachineHarness.missing();
t.test(
  'changes on this computer, in a machine',
  { skip: missing ?? false, timeout: 1_200_000 },
  async (t) => {
    const harness = await MachineHarness.open();
    const home = await realpath(await mkdtemp(join(tmpdir(), 'home-')));
    t.teardown(async () => {
      await harness.close();
      await rm(home, { recursive: true });
    });
    const project = join(home, 'project');
    await mkdir(join(project, 'sub'), { recursive: true });
    await writeFile(join(project, 'file'), 'before\n');
    await writeFile(join(home, 'watcher.cjs'), nodeWatcher);
    await harness.succeed('create', '--mount', home, 'dev');
    const docker = async (...args: string[]) => {
      const { stdout, stderr, exitCode } = await harness.docker('dev', args, { timeoutMs: 300_000 });
      if (exitCode !== 0) throw new Error(stderr);
      return stdout;
    };
    await docker(
      ...[
        'run',
        '-d',
        '--name',
        'watching',
        ...nodeOfMachine,
        '-v',
        `${project}:/src`,
        '-v',
        `${home}/watcher.cjs:/w.cjs`,
      ],
      ...['busybox', '/usr/bin/node', '/w.cjs'],
    );
    let seen = 0;
    /** What was heard since the last time, as soon as `text` is among it; fails after two seconds and what docker takes. */
    const heard = async (text: string, withinMs = 2000) => {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const asked = Date.now();
        const lines = (await docker('logs', 'watching')).split('\n').filter((line) => line !== '');
        const fresh = lines.slice(seen);
        if (text !== '' && fresh.some((line) => line.includes(text))) {
          seen = lines.length;
          return fresh;
        }
        if (asked > deadline) {
          seen = lines.length;
          return text === '' ? fresh : [`nothing of "${text}" in: ${fresh.join('; ')}`];
        }
        await delay(100);
      }
    };
    t.match(await heard('watching', 60_000), ['watching']);
    // The supervisor has its watches when it has heard of the container.
    await delay(3000);

    await t.test('are heard by watchers, with the new content', async (t) => {
      await appendFile(join(project, 'file'), 'after\n');
      const { mtimeMs, ctimeMs } = await stat(join(project, 'file'));
      t.match(await heard('change /src file before,after'), [/change \/src file before,after/]);
      t.match(await docker('exec', 'watching', 'cat', '/src/file'), 'before\nafter\n');
      await delay(1000);
      const later = await stat(join(project, 'file'));
      t.same(
        [later.mtimeMs, later.ctimeMs],
        [mtimeMs, ctimeMs],
        'and the file is as it was on this computer',
      );
    });

    await t.test('are heard once, and not again as their own echo', async (t) => {
      await heard('', 1000);
      await writeFile(join(project, 'sub', 'once'), 'new');
      const lines = await heard('', 5000);
      t.ok(lines.includes('change /src/sub once new'), lines.join('; '));
      // Made and written are two changes, which may come apart.
      t.ok(lines.filter((line) => line.includes('once')).length <= 2, lines.join('; '));
      t.ok(lines.length <= 6, lines.join('; '));
    });

    await t.test('are heard of files that an editor puts in another’s place', async (t) => {
      await writeFile(join(project, '.file.swp'), 'saved');
      await rename(join(project, '.file.swp'), join(project, 'file'));
      t.match((await heard('change /src file saved')).join('; '), 'change /src file saved');
    });

    await t.test('are heard of files that go, by their names', async (t) => {
      await heard('', 1000);
      await rm(join(project, 'sub', 'once'));
      t.match((await heard('rename /src/sub once -')).join('; '), 'rename /src/sub once -');
      await writeFile(join(project, 'sub', 'once'), 'there again');
      t.match((await heard('/src/sub once there again')).join('; '), 'there again');
      t.equal(await docker('exec', 'watching', 'cat', '/src/sub/once'), 'there again');
    });

    const inotifywait = await bring('inotifywait', join(home, 'tools')).catch(() => null);
    const none = inotifywait === null && 'no inotifywait on this computer';
    await t.test('are moves to inotify when something is new, or has gone', { skip: none }, async (t) => {
      await mkdir(join(project, 'sub', 'deep', 'deeper'), { recursive: true });
      await writeFile(join(project, 'sub', 'deep', 'file'), 'x');
      await delay(2000);
      const events = ['moved_from', 'moved_to', 'create', 'delete', 'modify'];
      await docker(
        ...['run', '-d', '--name', 'inotify', '-v', `${home}/tools:/t`, '-v', `${project}:/src`, 'busybox'],
        ...inotifywait!('/t'),
        ...['-m', '-r', '-e', events.join(), '--format', '%e %w%f', '/src'],
      );
      while (!(await harness.docker('dev', ['logs', 'inotify'])).stderr.includes('established'))
        await delay(200);
      await delay(2000);
      let known = 0;
      const said = async () => {
        await delay(3000);
        const lines = (await docker('logs', 'inotify')).split('\n').filter((line) => line !== '');
        const fresh = lines.slice(known);
        known = lines.length;
        return fresh;
      };
      await rm(join(project, 'sub', 'deep', 'file'));
      t.strictSame(await said(), ['MOVED_FROM /src/sub/deep/file']);
      await rm(join(project, 'sub', 'deep'), { recursive: true });
      t.strictSame(await said(), ['MOVED_FROM,ISDIR /src/sub/deep'], 'what was in it went with it');
      await mkdir(join(project, 'sub', 'deep'), { mode: 0o710 });
      t.strictSame(await said(), ['MOVED_TO,ISDIR /src/sub/deep'], 'once');
      t.equal(await docker('exec', 'inotify', 'stat', '-c', '%a', '/src/sub/deep'), '710\n');
      await writeFile(join(project, 'sub', 'deep', 'later'), 'x');
      t.match(
        await said(),
        ['MODIFY /src/sub/deep/later'],
        'new directories are watched by who watches trees',
      );
      await docker('rm', '-f', 'inotify');
    });

    await t.test('leave a directory to those who are in it already', async (t) => {
      for (let i = 0; i < 5; i++) {
        const name = `fresh-${i}`;
        await mkdir(join(project, name));
        const script = 'sleep 1; echo here >file && cat file && /bin/pwd && ls /src | grep -c fresh-';
        const run = await docker('exec', '-w', `/src/${name}`, 'watching', 'sh', '-c', script);
        t.equal(run, `here\n/src/${name}\n${i + 1}\n`);
        t.equal(await readFile(join(project, name, 'file'), 'utf8'), 'here\n');
      }
    });

    await t.test('leave a file that is bound by itself to its container', async (t) => {
      const single = join(project, 'single');
      await writeFile(single, 'one');
      await docker('run', '-d', '--name', 'single', '-v', `${single}:/single`, 'busybox', 'sleep', '600');
      await rm(single);
      await delay(3000);
      await writeFile(single, 'two');
      await delay(2500);
      t.equal(await docker('exec', 'single', 'cat', '/single'), 'two');
      await docker('rm', '-f', 'single');
    });

    await t.test('of the machine itself come from its kernel alone', async (t) => {
      await heard('', 1000);
      await docker('exec', 'watching', 'sh', '-c', 'echo mine >/src/sub/mine');
      const lines = await heard('', 3000);
      // inotify tells of the making, and of the writing once or twice.
      t.ok(lines.length >= 2 && lines.length <= 3, lines.join('; '));
    });

    await t.test('cost the supervisor nothing while there are none', async (t) => {
      const state = join(harness.store, 'machines', 'dev', 'supervisor.json');
      const { pid } = JSON.parse(await readFile(state, 'utf8')) as { pid: number };
      const ticks = async () => {
        const fields = (await readFile(`/proc/${pid}/stat`, 'latin1')).split(') ')[1]!.split(' ');
        return Number(fields[11]) + Number(fields[12]);
      };
      await delay(3000);
      const before = await ticks();
      await delay(15_000);
      // The clock is told the time once or twice.
      const taken = (await ticks()) - before;
      t.ok(taken <= 5, `${taken} ticks`);
    });

    await t.test(
      'in a burst all come, by their directory at least, and what comes next is not late',
      async (t) => {
        const many = Array.from({ length: 3000 }, (_, i) => join(project, 'sub', `many-${i}`));
        for (const path of many) await writeFile(path, 'x');
        await heard('', 20_000);
        await writeFile(join(project, 'file'), 'afterwards');
        t.match(
          (await heard('change /src file afterwards', 20_000)).join('; '),
          'change /src file afterwards',
        );
      },
    );
  },
);
