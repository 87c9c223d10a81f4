import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  allCapabilities,
  boundingSet,
  containerCapabilities,
} from '../../../../guest/runtime/spec/capabilities.ts';
import {
  behindDanglingLinks,
  canonicalRootfsPath,
  readRootfsFile,
} from '../../../../guest/runtime/spec/rootfs-file.ts';
import { defaultSeccomp } from '../../../../guest/runtime/spec/seccomp.ts';
import { resolveUser } from '../../../../guest/runtime/spec/users.ts';

const everything = new Set(allCapabilities);
const none = { add: [], drop: [], privileged: false };

t.test('capabilities are the defaults, plus and minus, within what the engine holds', async (t) => {
  t.equal(containerCapabilities(none, everything).length, 14);
  t.ok(containerCapabilities({ ...none, add: ['net_admin'] }, everything).includes('CAP_NET_ADMIN'));
  t.same(containerCapabilities({ ...none, drop: ['ALL'], add: ['CHOWN'] }, everything), ['CAP_CHOWN']);
  t.equal(containerCapabilities({ ...none, privileged: true }, everything).length, allCapabilities.length);
  t.same(containerCapabilities(none, new Set(['CAP_KILL'])), ['CAP_KILL']);
  t.throws(
    () => containerCapabilities({ ...none, add: ['nope'] }, everything),
    /unknown capability: "CAP_NOPE"/,
  );
  t.same([...boundingSet('CapBnd:\t0000000000000021\n')], ['CAP_CHOWN', 'CAP_KILL']);
});

t.test("users are found in the image's own files", async (t) => {
  const files = {
    passwd: 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/false\n',
    group: 'root:x:0:\nweb:x:34:\nlog:x:50:web,root\n',
  };
  t.same(resolveUser('', files), { uid: 0, gid: 0, additionalGids: [0, 50], home: '/root' });
  t.same(resolveUser('web', files), { uid: 33, gid: 34, additionalGids: [34, 50], home: '/srv' });
  t.same(resolveUser('web:log', files), { uid: 33, gid: 50, additionalGids: [50], home: '/srv' });
  t.same(resolveUser('1000:7', files), { uid: 1000, gid: 7, additionalGids: [7], home: '/' });
  t.throws(() => resolveUser('nobody', files), /unable to find user nobody/);
  t.throws(() => resolveUser('4294967295', files), /must be in range/);
});

t.test('links in an image never lead out of it', async (t) => {
  const directory = t.testdir({ upper: {}, lower: {}, secret: 'host' });
  const [upper, lower] = [join(directory, 'upper'), join(directory, 'lower')];
  mkdirSync(join(lower, 'etc'));
  mkdirSync(join(lower, 'data'));
  writeFileSync(join(lower, 'etc/real'), 'image');
  symlinkSync('../../../../etc/real', join(lower, 'etc/passwd'));
  symlinkSync(join(directory, 'secret'), join(lower, 'etc/group'));
  symlinkSync('loop', join(lower, 'loop'));
  symlinkSync('/data', join(upper, 'link'));
  const mount = { type: 'overlay', source: 'overlay', options: [`lowerdir=${lower}`, `upperdir=${upper}`] };
  t.equal(readRootfsFile(mount, 'etc/passwd'), 'image');
  t.equal(readRootfsFile(mount, 'etc/group'), '');
  t.equal(readRootfsFile(mount, 'loop'), '');
  t.equal(canonicalRootfsPath(mount, '/link'), '/data');
  t.equal(canonicalRootfsPath(mount, '/none'), null);
  symlinkSync('/etc/../no/where', join(lower, 'dangling'));
  t.equal(behindDanglingLinks(mount, '/dangling/more'), '/no/where/more');
  t.equal(behindDanglingLinks(mount, '/link/more'), '/data/more');
  for (const path of ['/none/x', '/etc/real', '/loop']) t.equal(behindDanglingLinks(mount, path), path);
});

t.test('the seccomp profile opens with capabilities', async (t) => {
  const text = (caps: string[]) => JSON.stringify(defaultSeccomp(caps, 'x86_64'));
  t.notMatch(text([]), /"mount"/);
  t.match(text(['CAP_SYS_ADMIN']), /"mount"/);
  t.match(text([]), /"clone3"\],"action":"SCMP_ACT_ERRNO","errnoRet":38/);
});
