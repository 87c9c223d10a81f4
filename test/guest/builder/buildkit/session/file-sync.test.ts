import { createHash } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Methods } from '../../../../../guest/builder/buildkit/grpc/server.ts';
import { syncFiles } from '../../../../../guest/builder/buildkit/session/file-sync.ts';
import type { Content } from '../../../../../guest/builder/buildkit/wire/message.ts';
import { Packet, packetTypes, Stat } from '../../../../../guest/builder/buildkit/wire/session.ts';
import { goFileMode } from '../../../../../guest/layers/go-file-mode.ts';
import { openSession } from '../client-pair.ts';

type Sent = { readonly stat: Partial<Content<typeof Stat>>; readonly data?: string };

const file = goFileMode(0o100644);
const directory = goFileMode(0o040755);
const symbolicLink = goFileMode(0o120777);
const time = 1_600_000_000_123_456_000n;

/** A client's side of the protocol; `asked` gets the paths whose content was wanted. */
function sender(files: readonly Sent[], asked: string[] = [], metadata: object[] = []): Methods {
  return new Map([
    [
      '/moby.filesync.v1.FileSync/DiffCopy',
      async (messages, send, context) => {
        metadata.push(context.metadata);
        for (const { stat } of files)
          await send(Packet.encode(Packet.of({ stat: Stat.of({ mode: file, modTime: time, ...stat }) })));
        await send(Packet.encode(Packet.of({})));
        for await (const message of messages) {
          const { type, id, data } = Packet.decode(message);
          if (type === packetTypes.error) throw new Error(String(data));
          if (type === packetTypes.finish) {
            await send(Packet.encode(Packet.of({ type: packetTypes.finish })));
            return;
          }
          asked.push(files[id]!.stat.path!);
          const content = Buffer.from(files[id]!.data ?? '');
          for (let at = 0; at < content.length; at += 3)
            await send(
              Packet.encode(Packet.of({ type: packetTypes.data, id, data: content.subarray(at, at + 3) })),
            );
          await send(Packet.encode(Packet.of({ type: packetTypes.data, id })));
        }
      },
    ],
  ]);
}

const two: Sent[] = [
  { stat: { path: 'a', size: 5 }, data: 'hello' },
  { stat: { path: 'd', mode: directory } },
  { stat: { path: 'd/b', size: 0, mode: goFileMode(0o104711), uid: 3, gid: 4 } },
  { stat: { path: 'hard', size: 5, linkname: 'a' } },
  { stat: { path: 'link', mode: symbolicLink, linkname: '../../etc/passwd' } },
];

async function sync(
  t: Test,
  to: string,
  files: readonly Sent[],
  { asked = [], hashes = new Map() }: { asked?: string[]; hashes?: Map<string, string> } = {},
): Promise<void> {
  const session = await openSession(t, sender(files, asked));
  const { signal } = new AbortController();
  await syncFiles({ session, name: 'context', directory: to, hashes, signal });
}

t.test('a client directory arrives with content, modes, owners, times and links', async (t) => {
  const to = t.testdir();
  await sync(t, to, two);
  t.same(readdirSync(to, { recursive: true }).sort(), ['a', 'd', 'd/b', 'hard', 'link']);
  t.equal(readFileSync(join(to, 'a'), 'utf8'), 'hello');
  t.equal(lstatSync(join(to, 'hard')).ino, lstatSync(join(to, 'a')).ino);
  t.match(lstatSync(join(to, 'd/b')), { mode: 0o104711, uid: 3, gid: 4, size: 0 });
  t.equal(lstatSync(join(to, 'link')).isSymbolicLink(), true);
  for (const name of ['a', 'd', 'd/b', 'link'])
    t.ok(Math.abs(lstatSync(join(to, name)).mtimeMs - Number(time) / 1e6) < 0.01, `time of ${name}`);
});

t.test('only what has changed is asked for the second time; what is gone goes', async (t) => {
  const to = t.testdir();
  const asked: string[] = [];
  await sync(t, to, two, { asked });
  t.same(asked, ['a', 'd/b']);
  const before = join(to, 'kept-by-another');
  linkSync(join(to, 'a'), before);
  const changed: Sent[] = [
    { stat: { path: 'a', size: 4, modTime: time + 10_000n }, data: 'bye!' },
    two[1]!,
    two[2]!,
  ];
  await sync(t, to, changed, { asked });
  t.same(asked, ['a', 'd/b', 'a']);
  t.same(readdirSync(to, { recursive: true }).sort(), ['a', 'd', 'd/b']);
  t.equal(readFileSync(join(to, 'a'), 'utf8'), 'bye!');
});

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

t.test('what comes is hashed on the way, what is there keeps its hash', async (t) => {
  const to = t.testdir();
  const hashes = new Map<string, string>();
  await sync(t, to, two, { hashes });
  t.same([...hashes].sort(), [
    ['a', sha256('hello')],
    ['d/b', sha256('')],
  ]);
  hashes.set('d/b', 'as it was');
  const changed: Sent[] = [{ stat: { path: 'a', size: 4, modTime: time + 10_000n }, data: 'bye!' }];
  await sync(t, to, [...changed, two[1]!, two[2]!], { hashes });
  t.same(Object.fromEntries(hashes), { a: sha256('bye!'), 'd/b': 'as it was' });
  const linked: Sent[] = [{ stat: { path: 'a', mode: symbolicLink, linkname: 'd' } }];
  await sync(t, to, linked, { hashes });
  t.same([...hashes], [], 'a link has none, nor has what is gone');
});

t.test('hashes are true of what a failed transfer leaves', async (t) => {
  const to = t.testdir();
  const hashes = new Map<string, string>();
  await sync(t, to, two, { hashes });
  const broken: Sent[] = [
    { stat: { path: 'a', size: 3, modTime: time + 10_000n }, data: 'new' },
    { stat: { path: '../out' } },
  ];
  await t.rejects(sync(t, to, broken, { hashes }));
  t.notOk(hashes.has('a'), 'which is not whole');
  t.equal(hashes.get('d/b'), sha256(''));
});

t.test('a file is replaced, not written to: others may have links to it', async (t) => {
  const to = t.testdir({ tree: {} });
  await sync(t, join(to, 'tree'), two);
  linkSync(join(to, 'tree/a'), join(to, 'copy'));
  await sync(t, join(to, 'tree'), [{ stat: { path: 'a', size: 3, modTime: time + 10_000n }, data: 'new' }]);
  t.equal(readFileSync(join(to, 'copy'), 'utf8'), 'hello');
});

t.test('kinds change places: a link where a directory was, a directory where a link was', async (t) => {
  const to = t.testdir();
  mkdirSync(join(to, 'x/y'), { recursive: true });
  symlinkSync('/tmp', join(to, 'z'));
  await sync(t, to, [
    { stat: { path: 'x', mode: symbolicLink, linkname: 'z' } },
    { stat: { path: 'z', mode: directory } },
    { stat: { path: 'z/f', size: 1 }, data: '1' },
  ]);
  t.equal(lstatSync(join(to, 'x')).isSymbolicLink(), true);
  t.equal(lstatSync(join(to, 'z')).isDirectory(), true);
  t.same(readdirSync(join(to, 'z')), ['f']);
});

t.test('sockets and devices are left out', async (t) => {
  const to = t.testdir();
  await sync(t, to, [
    { stat: { path: 'a', size: 1 }, data: 'a' },
    { stat: { path: 'sock', mode: goFileMode(0o140600) } },
    { stat: { path: 'z', size: 1 }, data: 'z' },
  ]);
  t.same(readdirSync(to).sort(), ['a', 'z']);
  t.equal(readFileSync(join(to, 'z'), 'utf8'), 'z', 'numbers count what was left out');
});

const hostile: Readonly<Record<string, Sent[]>> = {
  'a path upwards': [{ stat: { path: '../out', size: 1 }, data: 'x' }],
  'a path upwards within': [{ stat: { path: 'd', mode: directory } }, { stat: { path: 'd/../../out' } }],
  'an absolute path': [{ stat: { path: '/tmp/out' } }],
  'the directory itself': [{ stat: { path: '.' } }],
  nothing: [{ stat: { path: '' } }],
  'a path through a link': [
    { stat: { path: 'l', mode: symbolicLink, linkname: '/tmp' } },
    { stat: { path: 'l/out', size: 1 }, data: 'x' },
  ],
  'a path through a file': [{ stat: { path: 'f' } }, { stat: { path: 'f/out' } }],
  'a path without its directory': [{ stat: { path: 'd/out' } }],
  'the same path twice': [{ stat: { path: 'f' } }, { stat: { path: 'f' } }],
  'a hard link outwards': [{ stat: { path: 'h', linkname: '../secret' } }],
  'a hard link to a link': [
    { stat: { path: 'l', mode: symbolicLink, linkname: '/etc/passwd' } },
    { stat: { path: 'm', linkname: 'l' } },
  ],
};

for (const [what, files] of Object.entries(hostile))
  t.test(`refused: ${what}`, async (t) => {
    const to = t.testdir({ tree: {}, secret: 'secret' });
    await t.rejects(sync(t, join(to, 'tree'), files), { message: /the client sent/ });
    t.same(readdirSync(to).sort(), ['secret', 'tree']);
  });

t.test('names that are not ASCII are escaped in the request', async (t) => {
  const metadata: Record<string, string>[] = [];
  const session = await openSession(t, sender([], [], metadata));
  const { signal } = new AbortController();
  await syncFiles({
    session,
    name: 'ctx',
    directory: t.testdir(),
    follow: ['ü b', 'a'],
    exclude: ['*.log'],
    signal,
  });
  t.match(metadata[0], {
    'dir-name': 'ctx',
    'exclude-patterns': '*.log',
    followpaths: '%C3%BC%20b, a',
    'followpaths-encoded': '1',
  });
});

t.test('a client that goes away in the middle is an error, not a wait', async (t) => {
  const to = t.testdir();
  const methods: Methods = new Map([
    [
      '/moby.filesync.v1.FileSync/DiffCopy',
      async (_, send) => {
        await send(Packet.encode(Packet.of({ stat: Stat.of({ path: 'a', mode: file }) })));
      },
    ],
  ]);
  const session = await openSession(t, methods);
  await t.rejects(
    syncFiles({ session, name: 'context', directory: to, signal: new AbortController().signal }),
    { message: /ended early/ },
  );
});
