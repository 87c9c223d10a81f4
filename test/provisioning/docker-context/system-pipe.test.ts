import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { FailedPrecondition } from '../../../drivers/errors.ts';
import { giveSystemPipe, takeSystemPipe } from '../../../provisioning/docker-context/system-pipe.ts';
import { MachineStore } from '../../../provisioning/machine-store.ts';
import { storePaths } from '../../../provisioning/paths.ts';

t.test('the system’s pipe is one machine’s, and is taken from nobody else', async (t) => {
  // Sockets have short paths.
  const root = mkdtempSync(join(tmpdir(), 'pipe-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const store = new MachineStore(storePaths(join(root, 's')));
  for (const name of ['dev', 'two']) {
    mkdirSync(store.machine(name).directory, { recursive: true });
    writeFileSync(store.machine(name).config, '{}');
  }
  // A pipe has no place here; what listens is the same.
  const pipe = join(root, 'pipe');
  const restarted: string[] = [];
  const restart = async (_: MachineStore, name: string) => void restarted.push(name);
  const file = (name: string) => store.machine(name).alsoAt;

  await takeSystemPipe(store, 'dev', { pipe, restart });
  t.equal(readFileSync(file('dev'), 'utf8'), pipe);
  if (process.platform !== 'win32') t.equal(statSync(file('dev')).mode & 0o777, 0o600);
  await takeSystemPipe(store, 'dev', { pipe, restart });
  t.same(restarted, ['dev'], 'who has it keeps its connections');
  await takeSystemPipe(store, 'two', { pipe, restart });
  t.notOk(existsSync(file('dev')));
  t.same(restarted.splice(0), ['dev', 'dev', 'two']);
  t.equal(await giveSystemPipe(store, 'dev', { restart }), false, 'it is another’s');
  t.equal(await giveSystemPipe(store, null, { restart }), true);
  t.notOk(existsSync(file('two')));
  t.equal(await giveSystemPipe(store, null, { restart }), false);

  const engine = createServer();
  await new Promise<void>((done) => engine.listen(pipe, done));
  t.teardown(() => engine.close());
  await t.rejects(takeSystemPipe(store, 'dev', { pipe, restart }), {
    constructor: FailedPrecondition,
    message: `"${pipe}" is another engine's, Docker Desktop's perhaps; quit that, then type this again`,
  });
  t.notOk(existsSync(file('dev')));
});
