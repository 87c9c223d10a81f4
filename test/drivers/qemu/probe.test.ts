import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { probe } from '../../../drivers/qemu/probe.ts';

const osImage = {
  arch: 'amd64',
  kernel: 'k',
  unpackedKernel: null,
  initramfs: 'i',
  root: 'r',
  agent: 'a',
  commandLine: '',
} as const;
const skip = process.platform === 'win32' && 'stands in for QEMU with a shell script';

/** A stand-in for QEMU that does what the script says. */
async function withEmulator(t: Test, script: string) {
  const directory = await mkdtemp(join(tmpdir(), 'machine-probe-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const emulator = join(directory, 'qemu');
  await writeFile(emulator, `#!/bin/sh\n${script}\n`);
  await chmod(emulator, 0o755);
  return { emulator, osImage, accelerator: 'kvm', signal: new AbortController().signal } as const;
}

t.test('a kernel that reached userland works', { skip }, async (t) => {
  const request = await withEmulator(t, 'echo; echo "machine: probe reached userland"');
  t.match(await probe(request), { works: true, detail: /^in \d+ ms$/ });
});

t.test('a QEMU that aborts does not work, and its last words say why', { skip }, async (t) => {
  const request = await withEmulator(t, 'echo first >&2; echo "kvm: no such luck" >&2; kill -ABRT $$');
  t.same(await probe(request), { works: false, detail: 'kvm: no such luck' });
});

t.test('a QEMU that hangs is killed at the deadline', { skip }, async (t) => {
  const request = await withEmulator(t, 'exec sleep 60');
  t.same(await probe({ ...request, deadlineMs: 50 }), { works: false, detail: 'no sign of life in 0.05 s' });
});

t.test('an interrupted probe throws and leaves no process', { skip }, async (t) => {
  const request = await withEmulator(t, 'exec sleep 60');
  const reason = new Error('interrupted');
  const controller = new AbortController();
  const probing = probe({ ...request, signal: controller.signal });
  controller.abort(reason);
  await t.rejects(probing, reason);
});

t.test('a program that is not there does not work', async (t) => {
  const request = { emulator: '/nowhere/qemu', osImage, accelerator: 'kvm' } as const;
  t.match(await probe({ ...request, signal: new AbortController().signal }), {
    works: false,
    detail: /ENOENT/,
  });
});
