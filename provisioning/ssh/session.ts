import type ssh2 from 'ssh2';
import type { SshConnection } from './connection.ts';

type Output = NodeJS.WritableStream & { isTTY?: boolean; rows?: number; columns?: number };

/** Where a session's streams end; a terminal's size is followed when `stdout` is one. */
export interface SessionStreams {
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly stdout: Output;
  readonly stderr: NodeJS.WritableStream;
}

/**
 * Runs a command, or a login shell when there is none, with this process's streams. For computers without
 * an `ssh` program. Resolves with the exit code; 255 when the connection broke, as `ssh` has it.
 */
export async function sshSession(
  { client }: SshConnection,
  command: string | null,
  { stdin, stdout, stderr }: SessionStreams = process,
): Promise<number> {
  const terminal = command === null && stdin.isTTY && stdout.isTTY;
  const channel = await open(client, command, terminal ? windowOf(stdout) : null);
  const resize = () => channel.setWindow(stdout.rows ?? 24, stdout.columns ?? 80, 0, 0);
  if (terminal) {
    stdin.setRawMode?.(true);
    stdout.on('resize', resize);
  }
  try {
    return await new Promise<number>((resolve) => {
      let code = 255;
      channel.on('exit', (status: number | null) => {
        code = status ?? 255;
      });
      // `exit` can come before the last of the output; `close` cannot.
      channel.on('close', () => resolve(code));
      client.on('close', () => resolve(code));
      channel.pipe(stdout, { end: false });
      channel.stderr.pipe(stderr, { end: false });
      stdin.pipe(channel);
    });
  } finally {
    stdin.unpipe(channel);
    stdin.pause();
    if (terminal) {
      stdin.setRawMode?.(false);
      stdout.off('resize', resize);
    }
  }
}

function windowOf(stdout: Output): ssh2.PseudoTtyOptions {
  return { rows: stdout.rows ?? 24, cols: stdout.columns ?? 80, term: process.env.TERM ?? 'xterm' };
}

function open(client: ssh2.Client, command: string | null, window: ssh2.PseudoTtyOptions | null) {
  return new Promise<ssh2.ClientChannel>((resolve, reject) => {
    const done: ssh2.ClientCallback = (error, channel) => (error ? reject(error) : resolve(channel));
    if (command !== null) client.exec(command, done);
    else client.shell(window ?? false, done);
  });
}
