import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Departures } from '../../../../provisioning/directories/changes/departures.ts';
import { request, status } from '../../../../provisioning/directories/sftp/protocol.ts';
import { RawSftp, text, u32 } from '../raw-sftp.ts';

const found = -105;

async function open(t: Test) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'departures-')));
  const root = join(directory, 'shared');
  mkdirSync(root);
  const departures = new Departures();
  const client = await RawSftp.open(directory, { 0: root }, { departures });
  t.teardown(async () => {
    await client[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  const look = (path: string) => client.status(request.lstat, text(path));
  const move = (from: string, to: string) => client.status(request.rename, text(from), text(to));
  return { root, departures, client, look, move };
}

t.test('what is gone is there for a moment when it is being told, and can be moved away', async (t) => {
  const { departures, client, look, move } = await open(t);
  departures.offer(7, [
    { path: '/0/file', wasDirectory: false },
    { path: '/0/dir', wasDirectory: true },
  ]);
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
  const { root, departures, look, move } = await open(t);
  departures.offer(1, [{ path: '/0/file', wasDirectory: true }]);
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

t.test('what was not offered, or has been told, is not there', async (t) => {
  const { client, departures, look, move } = await open(t);
  t.equal(await look('/.notice/0.0'), status.noSuchFile);
  departures.offer(2, [{ path: '/0/file', wasDirectory: false }]);
  for (const path of ['/.notice/1.0', '/.notice/2.1', '/.notice/2', '/.notice/x', '/.notice/2.0/gone'])
    t.equal(await look(path), status.noSuchFile, path);
  t.equal(await move('/0/file', '/.notice/2.0/gone'), status.noSuchFile, 'nobody has asked for it');
  t.equal(await look('/.notice/2.0'), found);
  departures.offer(2, []);
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
