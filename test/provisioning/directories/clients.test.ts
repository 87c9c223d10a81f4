import { existsSync, realpathSync } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { runCommand } from '../../helpers/run-command.ts';

const server = fileURLToPath(new URL('stdio-server.js', import.meta.url));

t.test('OpenSSH’s sftp', { skip: onPath('sftp') ? false : 'no sftp on this computer' }, async (t) => {
  const root = realpathSync(t.testdir({ hello: 'hello', sub: { below: '' } }));
  const here = t.testdirName;
  await symlink('nowhere', join(root, 'link'));
  const sftp = (input: string) =>
    runCommand('sftp', ['-b', '-', '-D', `${process.execPath} ${server} ${root}`], { input, cwd: here });
  const { exitCode, stderr } = await sftp(`
    lcd ${root}
    get /0/hello got
    put hello "/0/with space ü"
    mkdir /0/new
    rename /0/got /0/new/moved
    symlink some/where /0/second
    ln /0/hello /0/hard
    chmod 600 /0/hello
    df /0
    rm /0/link
    rmdir /0/sub
  `);
  t.match(stderr, /rmdir.*Failure/i, 'a directory with something in it stays');
  t.not(exitCode, 0);
  t.equal(await readFile(join(root, 'new', 'moved'), 'utf8'), 'hello');
  t.equal(await readFile(join(root, 'with space ü'), 'utf8'), 'hello');
  t.equal(await readlink(join(root, 'second')), 'some/where');
  const hello = await lstat(join(root, 'hello'));
  t.equal(hello.nlink, 2);
  t.equal(hello.mode & 0o777, 0o600);
  t.notOk(existsSync(join(root, 'link')));
  const listing = await sftp('ls -1 /0\n');
  t.match(listing.stdout, /^\/0\/hard$/m);
});

const missing = ['sshfs', 'fusermount3'].filter((program) => !onPath(program));
const skip =
  process.getuid?.() !== 0 || !existsSync('/dev/fuse')
    ? 'mounting needs root and /dev/fuse'
    : missing.length > 0 && `no ${missing.join(', ')} on this computer`;

t.test('sshfs', { skip }, async (t) => {
  const { root, mounted, sh } = await mount(t);

  await t.test('reads and writes what is there, byte for byte', async (t) => {
    const { stdout } = await sh('head -c 5000000 /dev/urandom >here && sha256sum <here');
    t.equal(
      (await runCommand('sha256sum', [], { input: await readFile(join(root, 'here')) })).stdout,
      stdout,
    );
    await writeFile(join(root, 'there'), Buffer.alloc(3_000_001, 'x'));
    t.equal((await sh('wc -c <there')).stdout.trim(), '3000001');
    t.ok(Buffer.alloc(3_000_001, 'x').equals(await readFile(join(mounted, '0', 'there'))));
  });

  await t.test('names that are no UTF-8, and those with spaces', async (t) => {
    await sh(`printf x >"$(printf 'a\\377b')"; printf y >"with space ü"; mkdir "$(printf '\\376')"`);
    const names = (await readdir(root, { encoding: 'buffer' })).map((name) => name.toString('latin1'));
    for (const name of ['a\u00ffb', Buffer.from('with space ü').toString('latin1'), '\u00fe'])
      t.ok(names.includes(name), name);
    t.equal((await sh(`cat "$(printf 'a\\377b')"; ls | wc -l`)).stdout.startsWith('x'), true);
  });

  await t.test('does what programs do with files', async (t) => {
    const { stdout, stderr, exitCode } = await sh(`set -e
      echo a >f; echo b >g; mv g f; cat f
      ln f hard; stat -c %s f hard | wc -l
      ln -s /etc/passwd link; readlink link
      : >log; echo 1 >>log; echo 2 >>log; tr '\\n' ' ' <log; echo
      mkdir d; mkdir d 2>/dev/null || echo exists; echo >d/x; rmdir d 2>/dev/null || echo not empty
      truncate -s 5 f; stat -c %s f; touch -d '2020-01-01 UTC' f; stat -c %Y f; chmod 751 f; stat -c %a f
      set -o noclobber; { echo c >f; } 2>/dev/null || echo kept; flock log echo locked
      rm -r d; test ! -e d; exec 3<hard; rm hard; cat <&3 | wc -c`);
    t.equal(exitCode, 0, stderr);
    t.equal(stdout, 'b\n2\n/etc/passwd\n1 2 \nexists\nnot empty\n5\n1577836800\n751\nkept\nlocked\n5\n');
  });

  await t.test('two thousand small files there and back', async (t) => {
    await sh('mkdir many && cd many && i=0; while [ $i -lt 2000 ]; do echo $i >f$i; i=$((i+1)); done');
    t.equal((await readdir(join(root, 'many'))).length, 2000);
    t.equal(
      (await sh('cat many/* | sort -n | tail -1; rm -r many; ls -d many 2>&1')).stdout.startsWith('1999'),
      true,
    );
  });

  await t.test('is refused what is read-only', async (t) => {
    const { stderr } = await runCommand('sh', ['-c', 'echo x >new; rm file'], { cwd: join(mounted, '1') });
    t.match(stderr, /new: Permission denied/);
    t.equal(await readFile(join(root, 'file'), 'utf8'), 'content');
  });

  await t.test('sees within two seconds what changes here', async (t) => {
    await sh('cat file; ls');
    await writeFile(join(root, 'file'), 'other, and longer');
    await writeFile(join(root, 'appeared'), '');
    await chmod(join(root, 'file'), 0o600);
    await new Promise((resolve) => setTimeout(resolve, 2200));
    const { stdout } = await sh('cat file; stat -c " %a %s" file; ls appeared');
    t.equal(stdout, 'other, and longer 600 17\nappeared\n');
  });
});

t.test('sshfs, served by who is not root', { skip }, async (t) => {
  const user = 65534;
  const { root, mounted, start, sh } = await mount(t, user);

  await t.test('may give files to anybody, who is remembered and not obeyed', async (t) => {
    const { stdout, stderr, exitCode } = await sh(`set -e
      mkdir data; echo x >data/f; ln -s f data/link; echo y >other
      chown -R 999:998 data; stat -c '%n %u %g' data data/f data/link other
      mv data/f data/moved; chgrp 5 data/moved; ls -ln data | awk 'NR>1 {print $3, $4, $9}'
      chmod 640 data/moved; cat data/moved`);
    t.equal(exitCode, 0, stderr);
    t.equal(
      stdout,
      `data 999 998\ndata/f 999 998\ndata/link 999 998\nother ${user} ${user}\n999 998 link\n999 5 moved\nx\n`,
    );
    const { uid, gid, mode } = await lstat(join(root, 'data', 'moved'));
    t.same([uid, gid, mode & 0o777], [user, user, 0o640]);
  });

  await t.test('and is by the next server', async (t) => {
    await runCommand('fusermount3', ['-u', mounted]);
    t.same(await readdir(mounted), []);
    await start();
    t.equal((await sh('stat -c "%u %g" data data/moved')).stdout, '999 998\n999 5\n');
  });
});

/** A directory of this computer, mounted as the guest does it, but for the channel; `user` serves it. */
async function mount(t: Test, user = 0) {
  const root = realpathSync(await mkdtemp(join(tmpdir(), 'sshfs-')));
  const [shared, mounted, serve] = ['shared', 'mounted', 'serve'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  for (const directory of [shared, mounted]) await mkdir(directory);
  for (const directory of [root, shared]) await chown(directory, user, user);
  await writeFile(join(shared, 'file'), 'content');
  await writeFile(
    serve,
    `#!/bin/sh
export SERVER_USER=${user} SERVER_OWNERS=${root}/owners
exec ${process.execPath} ${server} ${shared} ${shared}:ro
`,
  );
  await chmod(serve, 0o755);
  const options = `ssh_command=${serve},reconnect,delay_connect,no_contain_symlinks,dcache_timeout=1,attr_timeout=0.2,entry_timeout=0.5`;
  const start = async () => {
    const { exitCode, stderr } = await runCommand('sshfs', ['-o', options, 'host:/', mounted]);
    t.equal(exitCode, 0, stderr);
  };
  await start();
  t.teardown(async () => {
    await runCommand('fusermount3', ['-u', mounted]);
    await rm(root, { recursive: true });
  });
  const sh = (script: string) => runCommand('bash', ['-c', script], { cwd: join(mounted, '0') });
  return { root: shared, mounted, start, sh };
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));
}
