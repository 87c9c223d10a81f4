import t from 'tap';
import { explainForeign } from '../../../guest/containers/foreign-program.ts';
import { RuntimeError } from '../../../guest/runtime/start-error.ts';

/** Of no computer here. */
const other = { os: 'linux', architecture: 's390x' };
const amd64 = { os: 'linux', architecture: 'amd64' };
const host = { emulatorAdvice: 'machine restart --with qemu-user dev brings one' };
const failed = new RuntimeError('exec /bin/sh: exec format error: unknown', 126);

t.test('a program of another architecture is called that, with what to type', async (t) => {
  t.match(
    explainForeign(failed, { platform: other, host }, () => [amd64]),
    {
      message:
        'exec /bin/sh: exec format error: unknown: there is no emulator for linux/s390x here; machine restart --with qemu-user dev brings one',
      exitCode: 126,
      httpStatus: 400,
    },
  );
});

t.test('other failures are what they were', async (t) => {
  const same = (error: unknown, platform: typeof other | undefined, runs = [amd64]) =>
    t.equal(
      explainForeign(error, { platform, host }, () => runs),
      error,
    );
  same(failed, amd64);
  same(failed, undefined);
  same(failed, other, [amd64, other]);
  same(new RuntimeError('exec /bin/sh: no such file or directory', 127), other);
  same(new Error('exec format error'), other);
});
