/** The engine answered with an error; `message` is its own sentence. */
export class EngineAnswer extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(`Error response from daemon: ${message}`);
    this.name = 'EngineAnswer';
    this.status = status;
  }
}

/** The command line is wrong; the message says how. */
export class Usage extends Error {
  override readonly name = 'Usage';
}

/** A container's process could not be started. Docker's exit codes: 127 not found, 126 not runnable, else 125. */
export class StartFailure extends Error {
  readonly exitCode: number;
  constructor(message: string) {
    super(`docker: ${message}`);
    this.name = 'StartFailure';
    this.exitCode = /executable file not found|no such file or directory/i.test(message)
      ? 127
      : /permission denied|is a directory/i.test(message)
        ? 126
        : 125;
  }
}
