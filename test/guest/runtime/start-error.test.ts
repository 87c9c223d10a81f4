import t from 'tap';
import { startError } from '../../../guest/runtime/start-error.ts';

t.test("crun's words become dockerd's, with the exit code of a shell", async (t) => {
  const said = (msg: string) => `${JSON.stringify({ msg, level: 'error' })}\n`;
  const cases: readonly [message: string, command: string, exitCode: number, RegExp][] = [
    [
      'executable file `x` not found in $PATH: No such file or directory',
      'x',
      127,
      /"x": executable file not found in \$PATH/,
    ],
    [
      'executable file `/x/y` not found in $PATH: No such file',
      '/x/y',
      127,
      /"\/x\/y": stat \/x\/y: no such file/,
    ],
    ['open executable: Operation not permitted', '/etc', 126, /is a directory: unknown: permission denied$/],
    ['open executable: Permission denied', '/x', 126, /"\/x": permission denied: unknown$/],
    [
      'the path `/etc` is not a regular file: Operation not permitted',
      '/etc',
      126,
      /"\/etc": is a directory: unknown: permission denied$/,
    ],
    ['exec container process `/x`: Exec format error', '/x', 126, /exec \/x: exec format error/],
    [
      'exec container process `/x`: No such file or directory',
      '/x',
      127,
      /exec \/x: no such file or directory: unknown$/,
    ],
    [
      'chdir `/no`: No such file or directory',
      'x',
      127,
      /chdir to cwd \("\/no"\) set in config\.json failed: no such file or directory: unknown$/,
    ],
    [
      'chdir to `/no`: Permission denied',
      'x',
      126,
      /set in config\.json failed: permission denied: unknown$/,
    ],
    ['mount `/a` to `b`: Not a directory', 'x', 127, /unknown: Are you trying to mount a directory onto/],
    ['open `/proc/sys/net/x`: No such file or directory', 'x', 127, /No such file/],
    ['something else', 'x', 128, /something else/],
  ];
  for (const [message, command, exitCode, text] of cases) {
    const error = startError(said(message), command, 'exec');
    t.equal(error.exitCode, exitCode, message);
    t.match(error.message, text);
  }
});
