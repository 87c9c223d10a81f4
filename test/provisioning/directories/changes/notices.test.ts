import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Notices } from '../../../../provisioning/directories/changes/notices.ts';
import { SeenDirectories } from '../../../../provisioning/directories/changes/seen-directories.ts';
import { request, status } from '../../../../provisioning/directories/sftp/protocol.ts';
import { RawSftp, text, u32 } from '../raw-sftp.ts';

const found = -105;

async function open(t: Test) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'notices-')));
  const root = join(directory, 'shared');
  mkdirSync(root);
  const notices = new Notices();
  const client = await RawSftp.open(directory, { 0: root }, { notices });
  t.teardown(async () => {
    await client[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  const look = (path: string) => client.status(request.lstat, text(path));
  const move = (from: string, to: string) => client.status(request.rename, text(from), text(to));
  return { root, notices, client, look, move };
}

t.test('what is gone is there for a moment when it is being told, and can be moved away', async (t) => {
  const { notices, client, look, move } = await open(t);
  notices.offer(
    7,
    [
      { path: '/0/file', wasDirectory: false },
      { path: '/0/dir', wasDirectory: true },
    ],
    [],
  );
  t.equal(await look('/0/file'), status.noSuchFile, 'not before the engine asks');
  t.equal(await look('/.notice'), found);
  t.equal(await look('/.notice/7.0'), found);
  t.equal(await look('/0/file'), found);
  t.equal(await look('/0/dir'), status.noSuchFile, 'each by itself');
  t.equal(await look('/.notice/7.0/gone'), status.noSuchFile);
  t.equal(await move('/0/file', '/.notice/7.0/gone'), status.ok);
  t.equal(await look('/0/file'), status.noSuchFile);
  t.equal(await client.status(request.remove, text('/.notice/7.0/gone')), status.ok);

  t.equal(await look('/.notice/7.1'), found);
  const { rest } = await client.request(request.lstat, text('/0/dir'));
  t.equal(rest.readUInt32BE(20) & 0o170000, 0o40000, 'a directory is one');
  const posixRename = text('posix-rename@openssh.com');
  const moved = [text('/0/dir'), text('/.notice/7.1/gone')];
  t.equal(await client.status(request.extended, posixRename, ...moved), status.ok);
  t.equal(await client.status(request.rmdir, text('/.notice/7.1/gone')), status.ok);
});

t.test('nothing on the disk is ever touched by it', async (t) => {
  const { root, notices, look, move } = await open(t);
  notices.offer(1, [{ path: '/0/file', wasDirectory: true }], []);
  t.equal(await look('/.notice/1.0'), found);
  writeFileSync(join(root, 'file'), 'there again');
  t.equal(await look('/0/file'), found);
  t.equal(await move('/0/file', '/.notice/1.0/gone'), status.ok);
  t.equal(readFileSync(join(root, 'file'), 'utf8'), 'there again');
  t.equal(await move('/0/file', '/.notice/1.0/gone'), status.noSuchFile, 'once');
  t.equal(await move('/.notice/1.0/gone', '/0/back'), status.noSuchFile);
  t.notOk(existsSync(join(root, 'back')));
  t.equal(await move('/0/file', '/.noticed'), status.noSuchFile, 'which is nothing of the kind');
});

t.test('a new directory is moved to where it is, as if it came there now', async (t) => {
  const { root, client, notices, look, move } = await open(t);
  mkdirSync(join(root, 'new'), { mode: 0o711 });
  writeFileSync(join(root, 'new', 'file'), 'x');
  const attributes = statSync(join(root, 'new'));
  const arrived = { path: '/0/new', attributes, sinceMs: attributes.ctimeMs };
  notices.offer(3, [], [arrived]);
  t.equal(await look('/.notice/3.new0'), found);
  const { rest } = await client.request(request.lstat, text('/.notice/3.new0/new'));
  t.equal(rest.readUInt32BE(20), 0o40711, 'it looks as it is');
  t.equal(await look('/0/new'), status.noSuchFile);
  t.equal(await move('/.notice/3.new0/new', '/0/new'), status.ok);
  t.equal(await look('/0/new'), found);
  t.equal(readFileSync(join(root, 'new', 'file'), 'utf8'), 'x');
  t.equal(await move('/.notice/3.new0/new', '/0/new'), status.noSuchFile, 'once');

  notices.offer(4, [], [{ ...arrived, sinceMs: Date.now() + 1000 }]);
  t.equal(await look('/.notice/4.new0/new'), found);
  t.equal(await look('/0/new'), status.noSuchFile);
  t.equal(await look('/0/new'), found, 'a rename that is given up hides it once');
  t.equal(await move('/.notice/4.new0/new', '/0/other'), status.noSuchFile);
});

t.test('a directory that the machine knows is not moved', async (t) => {
  const { root, client, notices, look } = await open(t);
  for (const name of ['looked', 'listed']) mkdirSync(join(root, name));
  const sinceMs = Date.now();
  await look('/0/looked');
  const offer = (path: string) => notices.offer(5, [], [{ path, attributes: statSync(root), sinceMs }]);
  offer('/0/looked');
  t.equal(await look('/.notice/5.new0/new'), status.noSuchFile);
  t.equal(await look('/0/looked'), found);
  offer('/0/listed');
  t.equal(await look('/.notice/5.new0/new'), found, 'which is not known yet');
  const { rest } = await client.request(request.opendir, text('/0'));
  await client.request(request.readdir, text(rest.subarray(4, 4 + rest.readUInt32BE(0))));
  offer('/0/listed');
  t.equal(await look('/.notice/5.new0/new'), status.noSuchFile);
  t.equal(await client.status(request.mkdir, text('/0/looked/made'), u32(0)), status.ok);
  offer('/0/looked/made');
  t.equal(await look('/.notice/5.new0/new'), status.noSuchFile);
});

t.test('who remembers only some directories says that all may be known', async (t) => {
  let now = 1;
  const seen = new SeenDirectories({ max: 2, now: () => now });
  seen.saw(Buffer.from('/0/a'));
  t.ok(seen.since('/0/a', 1));
  t.notOk(seen.since('/0/a', 2), 'another of that name, made later');
  t.notOk(seen.since('/0/b', 1));
  now = 2;
  seen.listed(Buffer.from('/0'));
  t.ok(seen.since('/0/b', 2));
  t.notOk(seen.since('/0/b/c', 2));
  now = 3;
  seen.saw(Buffer.from('/0/c'));
  t.ok(seen.since('/0/anything/else', 1), 'it may have been that which was forgotten');
  t.notOk(seen.since('/0/anything/else', 2));
});

t.test('what was not offered, or has been told, is not there', async (t) => {
  const { client, notices, look, move } = await open(t);
  t.equal(await look('/.notice/0.0'), status.noSuchFile);
  notices.offer(2, [{ path: '/0/file', wasDirectory: false }], []);
  for (const path of ['/.notice/1.0', '/.notice/2.1', '/.notice/2', '/.notice/x', '/.notice/2.0/gone'])
    t.equal(await look(path), status.noSuchFile, path);
  t.equal(await move('/0/file', '/.notice/2.0/gone'), status.noSuchFile, 'nobody has asked for it');
  t.equal(await look('/.notice/2.0'), found);
  notices.offer(2, [], []);
  t.equal(await look('/0/file'), status.noSuchFile);
  t.equal(await look('/.notice/2.0'), status.noSuchFile);
  const { rest } = await client.request(request.opendir, text('/'));
  const handle = rest.subarray(4, 4 + rest.readUInt32BE(0));
  const listed = await client.request(request.readdir, text(handle));
  t.notMatch(listed.rest.toString('latin1'), '.notice', 'it is not listed');
  t.equal(
    await client.status(request.mkdir, text('/0/.notice'), u32(0)),
    status.ok,
    'names below shares are free',
  );
});
