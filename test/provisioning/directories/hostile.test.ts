import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openFlag, request, status } from '../../../provisioning/directories/sftp/protocol.ts';
import { frame, RawSftp, text, u32, u64 } from './raw-sftp.ts';

const noAttributes = u32(0);

/** `shared/` is served as /0, and once more, read-only, as /1; `secret` lies next to it. */
async function open(t: Test): Promise<{ client: RawSftp; root: string; outside: string }> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'sftp-')));
  const root = join(directory, 'shared');
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(join(root, 'file'), 'inside');
  writeFileSync(join(root, 'sub', 'file'), 'below');
  mkdirSync(join(directory, 'outside', 'deep'), { recursive: true });
  writeFileSync(join(directory, 'outside', 'deep', 'secret'), 'secret');
  writeFileSync(join(directory, 'outside', 'secret'), 'secret');
  const client = await RawSftp.open(directory, { 0: root, 1: `${root}:ro` });
  t.teardown(async () => {
    await client[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  return { client, root, outside: join(directory, 'outside') };
}

t.test('a client gets nowhere out of the shared directory', async (t) => {
  const { client, root, outside } = await open(t);
  const stat = (path: string) => client.status(request.lstat, text(path));
  const opened = (path: string, flags: number) =>
    client.status(request.open, text(path), u32(flags), noAttributes);

  await t.test('by dots', async (t) => {
    for (const path of [
      '/0/../../outside/secret',
      '../../../../etc/passwd',
      '/../outside/secret',
      '/2/x',
      '/etc/passwd',
    ])
      t.equal(await stat(path), status.noSuchFile, path);
    t.equal(await client.status(request.rename, text('/0/file'), text('/0/../../gone')), status.noSuchFile);
    t.ok(existsSync(join(root, 'file')));
  });

  await t.test('by symbolic links, at the end of a path or within', async (t) => {
    symlinkSync(outside, join(root, 'link'));
    symlinkSync(join(outside, 'secret'), join(root, 'to-file'));
    t.equal((await client.request(request.lstat, text('/0/link'))).type, 105, 'a link is looked at');
    t.equal((await client.request(request.stat, text('/0/link'))).rest.readUInt32BE(20) & 0o170000, 0o120000);
    t.not(await stat('/0/link/secret'), -105, 'and not through');
    t.equal(await opened('/0/link/secret', openFlag.read), status.noSuchFile);
    t.equal(await opened('/0/link/deep/secret', openFlag.read), status.permissionDenied);
    t.equal(await opened('/0/to-file', openFlag.read), status.failure);
    t.equal(await opened('/0/to-file', openFlag.write | openFlag.create | openFlag.truncate), status.failure);
    t.not(await client.status(request.opendir, text('/0/link')), -102);
    t.equal(await client.status(request.mkdir, text('/0/link/new'), noAttributes), status.noSuchFile);
    t.equal(await client.status(request.remove, text('/0/link/secret')), status.noSuchFile);
    t.equal(await client.status(request.rename, text('/0/file'), text('/0/link/file')), status.noSuchFile);
    t.equal(
      await client.status(request.mkdir, text('/0/link/deep/new'), noAttributes),
      status.permissionDenied,
    );
    t.equal(await client.status(request.remove, text('/0/link/deep/secret')), status.permissionDenied);
    t.equal(
      await client.status(request.setstat, text('/0/to-file'), u32(4), u32(0o777)),
      status.failure,
      'modes are not those of what a link leads to',
    );
    t.equal(await client.status(request.setstat, text('/0/to-file'), u32(1), u64(0)), status.failure);
    const hardLink = text('hardlink@openssh.com');
    t.equal(
      await client.status(request.extended, hardLink, text('/0/to-file'), text('/0/hard')),
      status.failure,
    );
    t.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'secret');
  });

  await t.test('by a directory that becomes a link while it is used', async (t) => {
    const secret = /secret/;
    mkdirSync(join(root, 'turn'));
    writeFileSync(join(root, 'turn', 'secret'), 'mine');
    let turning = true;
    const turn = async () => {
      while (turning) {
        renameSync(join(root, 'turn'), join(root, 'aside'));
        symlinkSync(outside, join(root, 'turn'));
        await new Promise(setImmediate);
        rmSync(join(root, 'turn'));
        renameSync(join(root, 'aside'), join(root, 'turn'));
        await new Promise(setImmediate);
      }
    };
    const done = turn();
    let read = 0;
    for (let i = 0; i < 500; i++) {
      const answer = await client.request(
        request.open,
        text('/0/turn/secret'),
        u32(openFlag.read),
        noAttributes,
      );
      if (answer.type !== 102) continue;
      const handle = text(answer.rest.subarray(4));
      const data = await client.request(request.read, handle, u64(0), u32(100));
      t.notMatch(data.rest.toString(), secret);
      read += 1;
      await client.request(request.close, handle);
    }
    turning = false;
    await done;
    t.ok(read > 0, `${read} of 500 tries found the directory`);
  });

  await t.test('nor does it change what is shared read-only', async (t) => {
    t.equal(await opened('/1/file', openFlag.read), -102);
    t.equal(await opened('/1/file', openFlag.write), status.permissionDenied);
    t.equal(await opened('/1/new', openFlag.create | openFlag.read), status.permissionDenied);
    for (const [type, ...fields] of [
      [request.remove, text('/1/file')],
      [request.mkdir, text('/1/new'), noAttributes],
      [request.rmdir, text('/1/sub')],
      [request.setstat, text('/1/file'), u32(4), u32(0o777)],
      [request.rename, text('/1/file'), text('/1/new')],
      [request.symlink, text('x'), text('/1/new')],
      [request.extended, text('hardlink@openssh.com'), text('/1/file'), text('/1/new')],
      [request.extended, text('posix-rename@openssh.com'), text('/1/file'), text('/1/new')],
    ] as const)
      t.equal(await client.status(type, ...fields), status.permissionDenied, `request ${type}`);
    t.not(
      await client.status(request.rename, text('/0/file'), text('/1/new')),
      status.ok,
      'from one shared directory to another',
    );
    t.equal(await client.status(request.mkdir, text('/2'), noAttributes), status.noSuchFile);
    t.equal(await client.status(request.rmdir, text('/0')), status.permissionDenied);
  });
});

t.test(
  'devices, FIFOs and directories are no files to open',
  { skip: process.platform === 'win32' },
  async (t) => {
    const { client, root } = await open(t);
    execFileSync('mkfifo', [join(root, 'fifo')]);
    for (const flags of [openFlag.read, openFlag.write])
      for (const path of ['/0/fifo', '/0/sub'])
        t.equal(
          await client.status(request.open, text(path), u32(flags), noAttributes),
          status.failure,
          path,
        );
  },
);

t.test('what was open is closed when a client begins anew or goes', async (t) => {
  const { client } = await open(t);
  const answer = await client.request(request.open, text('/0/file'), u32(openFlag.read), noAttributes);
  const handle = text(answer.rest.subarray(4));
  t.equal((await client.request(request.fstat, handle)).type, 105);
  await client.begin();
  t.equal(await client.status(request.fstat, handle), status.failure);
});

t.test('nonsense ends the session', async (t) => {
  for (const [what, bytes] of [
    ['a packet too long', Buffer.from([0xff, 0xff, 0xff, 0xff, 5])],
    ['a packet of nothing', Buffer.alloc(4)],
    ['a packet without an id', frame(Buffer.from([request.lstat, 0]))],
    ['a text longer than its packet', frame(Buffer.from([request.lstat, 0, 0, 0, 9, 0, 0, 1, 0, 65]))],
    [
      'an offset that no file has',
      frame(
        Buffer.concat([
          Buffer.from([request.read, 0, 0, 0, 9, 0, 0, 0, 0]),
          Buffer.alloc(8, 0xff),
          Buffer.alloc(4),
        ]),
      ),
    ],
  ] as const) {
    const { client } = await open(t);
    client.socket.write(bytes);
    await t.rejects(client.served, /packet|number/, what);
  }
});

t.test('unknown requests and wrong handles are refused one by one', async (t) => {
  const { client } = await open(t);
  t.equal(await client.status(99), status.unsupported);
  t.equal(await client.status(request.extended, text('toString')), status.unsupported);
  t.equal(await client.status(request.read, text('nope'), u64(0), u32(10)), status.failure);
  t.equal(await client.status(request.close, text(Buffer.alloc(100))), status.failure);
  t.equal(await client.status(request.lstat, text('/0/a\0b')), status.noSuchFile);
});

t.test('requests that were sent together give what they give one after the other', async (t) => {
  const { client, root } = await open(t);
  const flags = u32(openFlag.read | openFlag.write | openFlag.create);
  const answer = await client.request(request.open, text('/0/new'), flags, u32(4), u32(0o640));
  const handle = text(answer.rest.subarray(4));
  const writes = Array.from({ length: 200 }, (_, i) =>
    client.status(request.write, handle, u64(i * 1000), text(Buffer.alloc(1000, i % 251))),
  );
  const seen = client.request(request.lstat, text('/0/new'));
  const cut = client.status(request.fsetstat, handle, u32(1), u64(5));
  const after = client.request(request.fstat, handle);
  const gone = client.status(request.remove, text('/0/new'));
  const missing = client.status(request.lstat, text('/0/new'));
  t.same(new Set(await Promise.all(writes)), new Set([0]));
  t.equal(Number((await seen).rest.readBigUInt64BE(4)), 200_000);
  t.equal(await cut, status.ok);
  t.equal(Number((await after).rest.readBigUInt64BE(4)), 5);
  t.equal(await gone, status.ok);
  t.equal(await missing, status.noSuchFile);
  t.notOk(existsSync(join(root, 'new')));
});

t.test('a file gets the mode that was asked for, whatever the umask here', async (t) => {
  const { client, root } = await open(t);
  await client.request(
    request.open,
    text('/0/all'),
    u32(openFlag.write | openFlag.create),
    u32(4),
    u32(0o666),
  );
  await client.request(request.mkdir, text('/0/wide'), u32(4), u32(0o777));
  t.equal(statSync(join(root, 'all')).mode & 0o777, 0o666);
  t.equal(statSync(join(root, 'wide')).mode & 0o777, 0o777);
  chmodSync(join(root, 'all'), 0o600);
  await client.request(
    request.open,
    text('/0/all'),
    u32(openFlag.write | openFlag.create),
    u32(4),
    u32(0o666),
  );
  t.equal(statSync(join(root, 'all')).mode & 0o777, 0o600, 'one that was there keeps its own');
  linkSync(join(root, 'all'), join(root, 'again'));
  t.equal(
    await client.status(request.rename, text('/0/file'), text('/0/again')),
    status.failure,
    'no plain rename over',
  );
});
