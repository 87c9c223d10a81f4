import { Command, CommanderError } from 'commander';
import { InvalidArgument } from '../drivers/errors.ts';
import { commands } from './command.ts';
import { exitCodeOf } from './exit-codes.ts';
import { addGlobalFlags, takesNext } from './global-flags.ts';
import { errorText } from './report-error.ts';

/** Runs one command line, without the program's name; resolves with the exit code. Never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  // A reader that has seen enough (`machine ls | head -1`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const program = newProgram();
  try {
    await program.parseAsync(await declareCommands(program, argv), { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // commander has printed it already.
    if (error instanceof CommanderError) return error.exitCode;
    process.stderr.write(`${errorText(error, { debug: program.opts().debug === true })}\n`);
    return exitCodeOf(error);
  }
}

function newProgram(): Command {
  const program = new Command('machine')
    .description('Docker hosts, local and remote, in one command.')
    .usage('[flags] <command> [arguments]')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')) })
    .option('-v, --version', 'show the version')
    .helpCommand(false)
    .addHelpText('after', "\nRun 'machine COMMAND --help' for more on a command.");
  addGlobalFlags(program);
  program.action((options: { version?: boolean }, command: Command) => {
    if (options.version) return showVersion();
    return command.help();
  });
  return program;
}

async function showVersion(): Promise<void> {
  const { versionLine } = await import('./version.ts');
  process.stdout.write(`${await versionLine()}\n`);
}

/** Declares the command that `argv` calls, whole; or, for help, the names of all. Returns what to parse. */
async function declareCommands(program: Command, argv: readonly string[]): Promise<readonly string[]> {
  let at = argv.findIndex((arg, i) => !arg.startsWith('-') && !takesNext(argv[i - 1] ?? ''));
  let args = argv;
  if (argv[at] === 'help') {
    args = [...argv.slice(0, at), ...argv.slice(at + 1), '--help'];
    if (at === args.length - 1) at = -1;
  }
  const name = args[at] ?? '';
  if (Object.hasOwn(commands, name)) {
    const { summary, module } = commands[name]!;
    await module.configure(program.command(name).description(summary), args.slice(at + 1));
  } else if (name !== '') {
    throw new InvalidArgument(`unknown command "${name}"; machine --help lists them`);
  } else {
    for (const [other, { summary, hidden = false }] of Object.entries(commands))
      program.command(other, { hidden }).summary(summary);
  }
  return args;
}
