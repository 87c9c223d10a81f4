import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { storeCertificates } from '../../provisioning/certs/store-certificates.ts';
import { storePaths } from '../../provisioning/paths.ts';
import { runMachine, spawnMachine } from './run-machine.ts';

const rounds = 8;

async function left(store: string): Promise<string[]> {
  const lists = ['machines', 'locks'].map((name) => readdir(join(store, name)).catch(() => []));
  return (await Promise.all(lists)).flat();
}

/** Runs `machine create` and sends it `signal` after `afterMs`, if it still runs. */
async function interrupt(store: string, signal: NodeJS.Signals, afterMs: number, args: string[] = []) {
  const child = spawnMachine(store, ['create', '-d', 'fake', ...args, 'dev']);
  const stderr = text(child.stderr);
  const exit = once(child, 'exit');
  await Promise.race([delay(afterMs), exit]);
  child.kill(signal);
  const [code, killedBy] = await exit;
  return { code, killedBy, stderr: await stderr };
}

t.test('a creation that is interrupted', { timeout: 280_000 }, async (t) => {
  const store = t.testdir();
  await storeCertificates(storePaths(store));
  const started = performance.now();
  t.equal((await runMachine(store, ['create', '-d', 'fake', 'dev'])).exitCode, 0);
  const wholeMs = performance.now() - started;
  t.equal((await runMachine(store, ['rm', '-y', 'dev'])).exitCode, 0);

  await t.test('at any moment, by SIGINT or SIGTERM, leaves nothing', async (t) => {
    for (let round = 0; round < rounds; round++) {
      const signal = round % 2 === 0 ? 'SIGINT' : 'SIGTERM';
      const afterMs = Math.random() * wholeMs;
      const ended = await interrupt(store, signal, afterMs);
      const about = `${signal} after ${Math.round(afterMs)} of ${Math.round(wholeMs)} ms: ${JSON.stringify(ended)}`;
      // A signal that comes when all is done finds a whole machine, and one that comes first finds nothing.
      const { stdout } = await runMachine(store, ['ls', '-f', '{{.State}}']);
      if (stdout === 'Running\n') {
        t.equal((await runMachine(store, ['rm', '-y', 'dev'])).exitCode, 0, about);
        t.match(ended.stderr, /Waiting for the engine/, about);
      } else if (ended.killedBy === null) t.equal(ended.code, signal === 'SIGINT' ? 130 : 143, about);
      t.same(await left(store), [], about);
    }
  });

  await t.test('in each step leaves nothing, however long it hangs there', async (t) => {
    for (const step of ['preCreate', 'create', 'start', 'hello']) {
      const child = spawnMachine(store, ['create', '-d', 'fake', '--json', '--fake-hang-at', step, 'dev']);
      const exit = once(child, 'exit');
      const title = { preCreate: 'Running', create: 'Creating', start: 'Starting', hello: 'Waiting' }[step];
      const lines = createInterface({ input: child.stdout });
      lines.on('line', (line) => {
        if (line.includes(`"step":"${title}`) && line.includes('started')) child.kill('SIGINT');
      });
      t.same(await exit, [130, null], step);
      t.same(await left(store), [], step);
    }
  });

  await t.test('by SIGKILL is shown, can be removed, and is in nobody’s way', async (t) => {
    const child = spawnMachine(store, ['create', '-d', 'fake', '--json', '--fake-hang-at', 'hello', 'dev']);
    const exit = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.includes('"step":"Waiting')) continue;
      const listed = await runMachine(store, ['ls']);
      t.match(listed.stdout, /^dev +- +fake +Starting/m, 'while it runs');
      child.kill('SIGKILL');
      break;
    }
    await exit;
    const listed = await runMachine(store, ['ls']);
    t.match(listed.stdout, /^dev +- +fake +Error .*interrupted; machine rm dev removes what is left/m);
    const started = await runMachine(store, ['start', 'dev']);
    t.equal(started.exitCode, 1);
    t.match(started.stderr, /machine rm dev/);
    const again = await runMachine(store, ['create', '-d', 'fake', 'dev']);
    t.equal(again.exitCode, 0, again.stderr);
    t.equal((await runMachine(store, ['status', 'dev'])).stdout, 'Running\n');
    t.equal((await runMachine(store, ['rm', '-y', 'dev'])).exitCode, 0);
    t.same(await left(store), []);
  });
});

t.test('two creations of one name at once make one machine', async (t) => {
  const store = t.testdir();
  await mkdir(join(store, 'machines'));
  await storeCertificates(storePaths(store));
  const both = await Promise.all([1, 2].map(() => runMachine(store, ['create', '-d', 'fake', 'dev'])));
  t.same(both.map(({ exitCode }) => exitCode).sort(), [0, 1], JSON.stringify(both));
  t.match(both.map(({ stderr }) => stderr).join(''), /Error: machine "dev" already exists/);
  t.equal((await runMachine(store, ['status', 'dev'])).stdout, 'Running\n');
});
