import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FailedPrecondition, Timeout } from '../../../drivers/errors.ts';
import { identify, isAlive } from '../../../drivers/process-identity.ts';
import { shutDown } from '../../../drivers/qemu/shut-down.ts';
import { FakeQmp } from './fake-qmp.ts';

const skip = process.platform === 'win32' && 'needs unix sockets';

/** A process, QMP, and a power console on which `onWord` gets what the host says. */
async function runningVm(t: Test, onWord: (word: string, powerOff: () => Promise<void>) => void) {
  const child = spawn('sleep', ['60']);
  const qemu = (await identify(child.pid!))!;
  const directory = await mkdtemp(join(tmpdir(), 'power-'));
  const power = { path: join(directory, 'power.sock') };
  const qmp = await FakeQmp.open();
  const powerOff = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
    await qmp[Symbol.asyncDispose]();
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => onWord(data.toString(), powerOff));
  });
  await new Promise<void>((resolve) => server.listen(power.path, resolve));
  t.teardown(async () => {
    child.kill('SIGKILL');
    server.close();
    await qmp[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });
  return { qemu, power, qmp };
}

t.test('the guest is asked on its power console, let run if paused, and waited for', { skip }, async (t) => {
  const words: string[] = [];
  const vm = await runningVm(t, (word, powerOff) => {
    words.push(word);
    void powerOff();
  });
  await shutDown({ ...vm, signal: AbortSignal.timeout(10_000) });
  t.same(words, ['shutdown\n']);
  t.same(
    vm.qmp.commands.map(({ execute }) => execute),
    ['qmp_capabilities', 'set-action', 'cont'],
  );
  t.same(vm.qmp.commands[1]?.arguments, { reboot: 'shutdown' }, 'a guest that resets instead ends too');
  t.notOk(await isAlive(vm.qemu));
});

t.test(
  'a guest that does not listen is left running at the deadline: killing is for the caller',
  { skip },
  async (t) => {
    const vm = await runningVm(t, () => {});
    await t.rejects(shutDown({ ...vm, signal: AbortSignal.timeout(100) }), Timeout);
    t.ok(await isAlive(vm.qemu));
  },
);

t.test(
  'a QEMU whose channels are gone cannot be asked, and the error says what to do',
  { skip },
  async (t) => {
    const vm = await runningVm(t, () => {});
    const gone = { path: `${vm.power.path}.gone` };
    const asked = shutDown({ ...vm, qmp: gone, signal: AbortSignal.timeout(10_000) });
    await t.rejects(asked, FailedPrecondition);
    t.ok(await isAlive(vm.qemu));
  },
);
