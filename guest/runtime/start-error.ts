import { EngineError } from '../errors.ts';

/**
 * A container (or exec) that could not be started. `exitCode` is what a shell would say: 126 = found but
 * not executable, 127 = not found, 128 = anything else; dockerd keeps it as the container's exit code.
 */
export class RuntimeError extends EngineError {
  readonly httpStatus: number;
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
    // dockerd: what the client asked for was wrong.
    this.httpStatus = exitCode === 126 || exitCode === 127 ? 400 : 500;
  }
}

const prefixes = {
  run: 'failed to create task for container: failed to create shim task: OCI runtime create failed',
  exec: 'OCI runtime exec failed: exec failed',
};

/** From crun's log (JSON lines) or a helper's words to dockerd's sentence, on which clients key. */
export function startError(log: string, command: string, verb: 'run' | 'exec'): RuntimeError {
  const cause = lastMessage(log);
  const name = JSON.stringify(command);
  const create = (text: string, exitCode: number) =>
    new RuntimeError(`${prefixes[verb]}: unable to start container process: ${text}: unknown`, exitCode);
  if (/executable file .* not found in \$PATH/.test(cause)) {
    return command.includes('/')
      ? create(`exec: ${name}: stat ${command}: no such file or directory`, 127)
      : create(`exec: ${name}: executable file not found in $PATH`, 127);
  }
  if (/^open executable|^access executable|is not a regular file/.test(cause)) {
    return create(`exec: ${name}: ${/not permitted|denied/i.test(cause) ? 'permission denied' : cause}`, 126);
  }
  if (/^exec container process/.test(cause)) {
    const reason = cause.slice(cause.lastIndexOf(': ') + 2).toLowerCase();
    return create(`exec ${command}: ${reason}`, reason.startsWith('no such file') ? 127 : 126);
  }
  if (/chdir|cwd|working directory/.test(cause)) {
    return create(`${cause}`, /not a directory|denied/i.test(cause) ? 126 : 127);
  }
  return create(cause, 128);
}

function lastMessage(log: string): string {
  const messages = log
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      try {
        const entry = JSON.parse(line) as { msg?: unknown; level?: unknown };
        return entry.level === 'warning' ? '' : String(entry.msg ?? line);
      } catch {
        return line;
      }
    })
    .filter((message) => message !== '');
  return messages.at(-1) ?? 'the OCI runtime ended without a word';
}

/** crun reports a failed execve on the container's stderr, after it has reported the start. */
export function isLateExecFailure(stderr: string): boolean {
  return /^\s*\{"msg":"exec container process `/.test(stderr);
}
