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
  const text = runcWords(lastMessage(log), command);
  return classified(`${prefixes[verb]}: unable to start container process: ${text}: unknown`);
}

/** As runc says what crun says. */
function runcWords(cause: string, command: string): string {
  const name = JSON.stringify(command);
  if (command === '' || /executable file .* not found in \$PATH/.test(cause)) {
    return command.includes('/')
      ? `exec: ${name}: stat ${command}: no such file or directory`
      : `exec: ${name}: executable file not found in $PATH`;
  }
  if (/^(?:open|access) executable|is not a regular file/.test(cause))
    return `exec: ${name}: ${executableReason(cause)}`;
  if (/^exec container process/.test(cause)) return `exec ${command}: ${reasonOf(cause)}`;
  // Releases of crun differ.
  const directory = /^chdir (?:to )?`(.*)`: /.exec(cause)?.[1];
  if (directory !== undefined)
    return `chdir to cwd (${JSON.stringify(directory)}) set in config.json failed: ${reasonOf(cause)}`;
  return cause;
}

/** Of what is neither a program nor may be read, crun says EACCES; of what is no file, EPERM. */
function executableReason(cause: string): string {
  if (/not permitted/i.test(cause)) return 'is a directory';
  return /denied/i.test(cause) ? 'permission denied' : cause;
}

function reasonOf(cause: string): string {
  return cause.slice(cause.lastIndexOf(': ') + 2).toLowerCase();
}

const mountHint =
  'Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';

/** By what is said of it, as dockerd does (moby, daemon/errors.go, setExitCodeFromError). */
function classified(text: string): RuntimeError {
  if (/permission denied|exec format error/i.test(text)) return new RuntimeError(text, 126);
  if (/is a directory/i.test(text)) return new RuntimeError(`${text}: permission denied`, 126);
  if (/not a directory/i.test(text)) return new RuntimeError(`${text}: ${mountHint}`, 127);
  if (/executable file not found|no such file or directory/i.test(text)) return new RuntimeError(text, 127);
  return new RuntimeError(text, 128);
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
