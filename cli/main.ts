import { Command, CommanderError, Option } from 'commander';
import { InvalidArgument } from '../drivers/errors.ts';
import { commands } from './command.ts';
import { exitCodeOf } from './exit-codes.ts';
import { errorText } from './report-error.ts';

/** Global flags that are followed by a value. */
const valued = [
  '-s',
  '--storage-path',
  '--tls-ca-cert',
  '--tls-ca-key',
  '--tls-client-cert',
  '--tls-client-key',
];

/** Runs one command line, without the program's name; resolves with the exit code. Never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  // A reader that has seen enough (`machine ls | head -1`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  const program = globalFlags();
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

function globalFlags(): Command {
  const program = new Command('machine')
    .description('Docker hosts, local and remote, in one command.')
    .usage('[flags] <command> [arguments]')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')) })
    .addOption(new Option('-D, --debug', 'show where errors arose').env('MACHINE_DEBUG'))
    .addOption(
      new Option('-s, --storage-path <DIR>', 'where machines are kept (default: ~/.machine)').env(
        'MACHINE_STORAGE_PATH',
      ),
    )
    .addOption(new Option('--tls-ca-cert <FILE>', 'CA to verify remotes against').env('MACHINE_TLS_CA_CERT'))
    .addOption(new Option('--tls-ca-key <FILE>', 'private key of that CA').env('MACHINE_TLS_CA_KEY'))
    .addOption(new Option('--tls-client-cert <FILE>', 'client certificate').env('MACHINE_TLS_CLIENT_CERT'))
    .addOption(
      new Option('--tls-client-key <FILE>', 'private key of that certificate').env('MACHINE_TLS_CLIENT_KEY'),
    )
    .addOption(new Option('--native-ssh', 'use the built-in SSH client').env('MACHINE_NATIVE_SSH'))
    .option('-v, --version', 'show the version')
    .helpCommand(false)
    .addHelpText('after', "\nRun 'machine COMMAND --help' for more on a command.");
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
  let at = argv.findIndex((arg, i) => !arg.startsWith('-') && !valued.includes(argv[i - 1] ?? ''));
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
    for (const [other, { summary }] of Object.entries(commands)) program.command(other).summary(summary);
  }
  return args;
}
