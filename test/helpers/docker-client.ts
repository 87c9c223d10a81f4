import { busyboxArchive } from './busybox-archive.ts';
import { type CommandOptions, type CommandResult, runCommand } from './run-command.ts';

/** The stock docker CLI at an engine of its own. */
export abstract class DockerClient {
  abstract get env(): Readonly<Record<string, string>>;

  docker(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand('docker', args, {
      timeoutMs: 60_000,
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** What stdout held; throws with stderr when the command failed. */
  async output(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const { stdout, stderr, exitCode } = await this.docker(args, options);
    if (exitCode !== 0) throw new Error(`docker ${args.join(' ')} failed (${exitCode}): ${stderr}`);
    return stdout;
  }

  /** Gives the engine an image `busybox:latest`, made of this computer's static busybox. */
  async loadBusybox(): Promise<void> {
    await this.output(['load'], { input: await busyboxArchive() });
  }
}
