import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Timeout, Unavailable } from '../../../../drivers/errors.ts';
import { identify, whenGone } from '../../../../drivers/process-identity.ts';
import { qemuPaths } from '../../../../drivers/qemu/paths.ts';
import {
  endShareServers,
  hasLostShares,
  startShareServers,
} from '../../../../drivers/qemu/virtiofs/share-servers.ts';
import { FakeQmp, type QmpCommand } from '../fake-qmp.ts';

const skip = process.platform !== 'linux' && 'virtiofsd is for Linux';
const shares = [
  { directory: '/home/me', readonly: false },
  { directory: '/mnt', readonly: true },
];

interface Connect {
  readonly backend: { readonly data: { readonly addr: { readonly data: { readonly path: string } } } };
}

/** A stand-in for virtiofsd that does what the script says, and a QEMU that connects with it when `listens` says so. */
async function stage(t: Test, script: string, listens: (socket: string) => boolean) {
  const directory = await mkdtemp(join(tmpdir(), 'shares-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const program = join(directory, 'virtiofsd');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  const qmp = await FakeQmp.open({
    answer({ execute, arguments: args, id }: QmpCommand, send) {
      const { path } =
        execute === 'chardev-add' ? (args as unknown as Connect).backend.data.addr.data : { path: null };
      if (path === null || listens(path)) send({ return: {}, id });
      else send({ error: { class: 'GenericError', desc: 'Connection refused' }, id });
    },
  });
  t.teardown(() => qmp[Symbol.asyncDispose]());
  const paths = qemuPaths(directory);
  const signal = AbortSignal.timeout(10_000);
  return {
    directory,
    qmp,
    paths,
    options: { shares, program, paths, socketDirectory: directory, qmp, signal },
  };
}

t.test('each share is plugged in when its server listens, function 0 last', { skip }, async (t) => {
  let tries = 0;
  const { directory, qmp, paths, options } = await stage(
    t,
    'while [ $# -gt 0 ]; do [ "$1" = --socket-path ] && : >"$2.pid"; shift; done; exec sleep 60',
    (socket) => ++tries > 2 && existsSync(`${socket}.pid`),
  );
  await startShareServers(options);
  const servers = JSON.parse(await readFile(paths.shareServers, 'utf8')) as { pid: number }[];
  const pids = servers.map(({ pid }) => pid);
  t.teardown(() => pids.map((pid) => process.kill(pid)));
  const said = qmp.commands.slice(1).map(({ execute, arguments: args }) => [execute, args?.id, args?.addr]);
  const untilConnected = said.filter(([, id], i) => id !== said[i + 1]?.[1]);
  t.same(untilConnected, [
    ['chardev-add', 'share-server0', undefined],
    ['chardev-add', 'share-server1', undefined],
    ['device_add', 'share1', '0x0.0x1'],
    ['device_add', 'share0', '0x0.0x0'],
  ]);
  t.ok(said.length > untilConnected.length, 'it was tried until they did');
  t.same(
    (await readdir(directory)).filter((name) => name.startsWith('fs')),
    [],
    'nobody else finds their sockets',
  );

  t.equal(await hasLostShares(paths), false);
  const last = pids.pop()!;
  const server = (await identify(last))!;
  process.kill(last, 'SIGKILL');
  await whenGone(server, AbortSignal.timeout(5000));
  t.equal(await hasLostShares(paths), true);

  const other = (await identify(pids.pop()!))!;
  await endShareServers(paths);
  t.ok(await whenGone(other, AbortSignal.timeout(5000)), 'the others end with the machine');
  t.equal(await hasLostShares(paths), false);
  await endShareServers(paths);
});

t.test('a server that ends at once is an error in its own words, and the others end', { skip }, async (t) => {
  const { directory, paths, options } = await stage(
    t,
    `case "$*" in */home/me*) echo $$ >"$(dirname "$0")/pid"; exec sleep 60 ;; esac
echo 'no user namespace' >&2; exit 1`,
    (socket) => socket.endsWith('fs0.sock') && existsSync(join(socket, '..', 'pid')),
  );
  await t.rejects(startShareServers(options), {
    constructor: Unavailable,
    message: /^virtiofsd cannot share "\/mnt"; it said:\nno user namespace\n--mount-type sftp/,
  });
  const first = await identify(Number(await readFile(join(directory, 'pid'), 'utf8')));
  t.ok(first === null || (await whenGone(first, AbortSignal.timeout(5000))));
  t.equal(await hasLostShares(paths), false, 'nothing is remembered of them');
});

t.test('a server that never listens is waited for no longer than that', { skip }, async (t) => {
  const { options } = await stage(t, 'exec sleep 60', () => false);
  await t.rejects(startShareServers({ ...options, deadlineMs: 300 }), {
    constructor: Timeout,
    message: 'sharing directories took too long',
  });
});

t.test('a machine without shares has lost none', async (t) => {
  const { paths } = await stage(t, '', () => true);
  t.equal(await hasLostShares(paths), false);
});
