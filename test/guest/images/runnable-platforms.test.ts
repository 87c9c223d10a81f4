import t from 'tap';
import { formatPlatform, hostPlatform } from '../../../guest/images/platform.ts';
import { emulatedPlatforms, runnablePlatforms } from '../../../guest/images/runnable-platforms.ts';

/** As the kernel shows it: /proc/sys/fs/binfmt_misc/qemu-aarch64 of a machine. */
const arm64 = `enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: POCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`;
const namesOf = (...handlers: string[]) => emulatedPlatforms(handlers).map(formatPlatform);

t.test('a handler is known by its magic number', async (t) => {
  t.strictSame(namesOf(arm64), ['linux/arm64']);
  const other = (magic: string) => arm64.replace(/(?<=magic ).*/, magic);
  t.strictSame(namesOf(other('7f454c4601010100000000000000000002002800')), ['linux/arm/v7', 'linux/arm/v6']);
  t.strictSame(namesOf(other('7f454c4602020100000000000000000000020016')), ['linux/s390x'], 'big end first');
  t.strictSame(namesOf(other('7f454c4602010100000000000000000002001600')), [], 'no such machine');
});

t.test('what does not work in containers is not counted', async (t) => {
  t.strictSame(namesOf(arm64.replace('enabled', 'disabled')), []);
  t.strictSame(namesOf(arm64.replace('POCF', 'POC')), [], 'its emulator is looked for in the container');
  t.strictSame(namesOf('enabled\ninterpreter /usr/bin/python3\nflags: \nextension .py\n'), []);
  t.strictSame(namesOf(arm64.replace(/magic .*/, 'magic 4d5a')), []);
});

t.test('the own platform comes first', async (t) => {
  t.strictSame(runnablePlatforms()[0], hostPlatform);
});
