import t from 'tap';
import { Untrusted } from '../../../drivers/errors.ts';
import { archiveKeyFingerprints } from '../../../images/debian/archive-keys.ts';
import { debianKeys, verifyInRelease } from '../../../images/debian/in-release.ts';
import { newSigner } from '../support/signing.ts';

const url = 'http://archive.example/dists/trixie/InRelease';
const hash = 'a'.repeat(64);
const body = `Origin: Debian
Version: 13.1
Codename: trixie
Acquire-By-Hash: yes
Valid-Until: Sat, 01 Jan 2050 00:00:00 UTC
SHA256:
 ${hash}     1234 main/binary-amd64/Packages.xz
`;

t.test('a signed index is read', async (t) => {
  const signer = await newSigner();
  const release = await verifyInRelease({
    text: await signer.sign(body),
    url,
    codename: 'trixie',
    keys: signer.keys,
  });
  t.equal(release.version, '13.1');
  t.ok(release.acquireByHash);
  t.strictSame(release.files.get('main/binary-amd64/Packages.xz'), { sha256: hash, sizeBytes: 1234 });
});

t.test('an index with one changed letter is refused', async (t) => {
  const signer = await newSigner();
  const text = (await signer.sign(body)).replace('1234', '1235');
  await t.rejects(verifyInRelease({ text, url, codename: 'trixie', keys: signer.keys }), Untrusted);
});

t.test('text outside the signature is not read', async (t) => {
  const signer = await newSigner();
  const text = `SHA256:\n ${'b'.repeat(64)} 1 evil\n${await signer.sign(body)}`;
  const outcome = verifyInRelease({ text, url, codename: 'trixie', keys: signer.keys });
  const files = await outcome.then(({ files }) => [...files.keys()]).catch((): string[] => []);
  t.notOk(files.includes('evil'));
});

t.test('an index that a stranger signed is refused with a sentence', async (t) => {
  const [ours, stranger] = await Promise.all([newSigner(), newSigner()]);
  const text = await stranger.sign(body);
  await t.rejects(verifyInRelease({ text, url, codename: 'trixie', keys: ours.keys }), {
    name: 'Untrusted',
    message: /InRelease is not signed by a known Debian key/,
  });
  t.comment('a key in the bundle that is not pinned does not count either');
  const keys = { armored: stranger.keys.armored, fingerprints: ours.keys.fingerprints };
  await t.rejects(verifyInRelease({ text, url, codename: 'trixie', keys }), Untrusted);
});

t.test('an unsigned index is refused', async (t) => {
  await t.rejects(verifyInRelease({ text: body, url, codename: 'trixie' }), Untrusted);
});

t.test('the index of another release is refused, however well signed', async (t) => {
  const signer = await newSigner();
  const text = await signer.sign(body.replace('Codename: trixie', 'Codename: bookworm'));
  await t.rejects(verifyInRelease({ text, url, codename: 'trixie', keys: signer.keys }), {
    name: 'Untrusted',
    message: /describes "bookworm" instead of "trixie"/,
  });
});

t.test('an index past its end of validity is refused', async (t) => {
  const signer = await newSigner();
  const text = await signer.sign(body);
  const now = new Date('2050-01-02');
  await t.rejects(verifyInRelease({ text, url, codename: 'trixie', keys: signer.keys, now }), {
    message: /was valid until/,
  });
});

t.test('the keys that are committed are the ones that are pinned', async (t) => {
  const { readKeys } = await import('openpgp');
  const keys = await readKeys({ armoredKeys: debianKeys.armored });
  t.strictSame(keys.map((key) => key.getFingerprint()).sort(), [...archiveKeyFingerprints].sort());
});
