import { appendFile, chmod, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { bring } from '../helpers/bring.ts';
import { nodeOfMachine, nodeWatcher } from '../helpers/node-watcher.ts';
import type { SuiteParts } from './directories-suite.ts';

/** Of what is made by a change, all comes in this time, and nothing later. */
const quietMs = 4000;

/** What programs in containers hear of changes in `project`, where a machine has that by virtiofs: each once, and no echo. */
export async function testAttributeEvents(
  t: Test,
  { project, docker }: Omit<SuiteParts, 'harness'>,
): Promise<void> {
  const inotifywait = await bring('inotifywait', join(project, 'tools'));
  const heard = join(project, 'heard');
  await mkdir(join(heard, 'sub'), { recursive: true });
  const file = join(heard, 'file');
  await writeFile(file, 'before\n');
  await writeFile(join(project, 'watcher.cjs'), nodeWatcher);
  const run = ['run', '-d', '-v', `${heard}:/src`];
  const watcher = ['-v', `${project}/watcher.cjs:/w.cjs`, 'busybox', '/usr/bin/node', '/w.cjs'];
  await docker(...run, '--name', 'node', ...nodeOfMachine, ...watcher);
  const kinds = 'modify,attrib,create,delete,move';
  await docker(
    ...[...run, '--name', 'inotify', '-v', `${project}/tools:/t`, 'busybox', ...inotifywait('/t')],
    ...['-m', '-r', '-e', kinds, '--format', '%e %w%f', '/src'],
  );
  while (!(await docker('logs', 'inotify')).stderr.includes('established')) await delay(200);
  while (!(await docker('logs', 'node')).stdout.includes('watching')) await delay(200);
  const known = { node: 0, inotify: 0 };
  const said = async (name: 'node' | 'inotify') => {
    const lines = (await docker('logs', name)).stdout.split('\n').filter((line) => line !== '');
    const fresh = lines.slice(known[name]);
    known[name] = lines.length;
    return fresh;
  };
  const after = async (change: () => Promise<unknown>) => {
    await change();
    await delay(quietMs);
    return { node: await said('node'), inotify: await said('inotify') };
  };

  // The supervisor has its watches when it has heard of the containers, and tells of what was made just before.
  await after(async () => {});
  const written = await after(() => appendFile(file, 'after\n'));
  t.strictSame(written, { node: ['change /src file before,after'], inotify: ['ATTRIB /src/file'] });
  const { mtimeMs } = await stat(file);
  const { inotify: changed } = await after(() => chmod(file, 0o751));
  t.strictSame(changed, ['ATTRIB /src/file'], 'also of a mode');
  const later = await stat(file);
  t.same([later.mtimeMs, later.mode & 0o777], [mtimeMs, 0o751], 'which stays as it was set');

  const saved = await after(async () => {
    await writeFile(join(project, 'swap'), 'saved');
    await rename(join(project, 'swap'), file);
  });
  t.ok(saved.node.includes('change /src file saved'), saved.node.join('; '));
  t.ok(saved.inotify.includes('ATTRIB /src/file'), saved.inotify.join('; '));

  const made = await after(() => writeFile(join(heard, 'sub', 'once'), 'new'));
  t.ok(made.node.includes('change /src/sub once new'), made.node.join('; '));
  // Made and written are two changes, which may come apart; a directory is said of in itself and in its parent.
  t.ok(made.inotify.includes('ATTRIB,ISDIR /src/sub'), made.inotify.join('; '));
  t.ok(made.inotify.length <= 6, made.inotify.join('; '));

  const gone = await after(() => rm(join(heard, 'sub', 'once')));
  t.ok(gone.inotify.includes('ATTRIB,ISDIR /src/sub'), gone.inotify.join('; '));
  t.ok(
    gone.node.some((line) => line.startsWith('rename /src sub')),
    gone.node.join('; '),
  );

  const own = await after(() => docker('exec', 'node', 'sh', '-c', 'echo mine >/src/sub/mine'));
  t.ok(own.inotify.includes('CREATE /src/sub/mine'), own.inotify.join('; '));
  const back = own.inotify.filter((line) => line === 'ATTRIB /src/sub/mine');
  t.ok(back.length <= 2, own.inotify.join('; '));

  const { node, inotify } = await after(async () => {});
  t.strictSame([...node, ...inotify], [], 'and no echo goes on');
  await docker('rm', '-f', 'node', 'inotify');
}
