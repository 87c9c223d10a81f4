import { type Command, Option } from 'commander';
import { fromEnv } from './flags/from-env.ts';

const flags: readonly (readonly [flags: string, description: string, env: string])[] = [
  ['-D, --debug', 'show where errors arose', 'MACHINE_DEBUG'],
  ['-s, --storage-path <DIR>', 'where machines are kept (default: ~/.machine)', 'MACHINE_STORAGE_PATH'],
  ['--tls-ca-cert <FILE>', 'CA to verify remotes against', 'MACHINE_TLS_CA_CERT'],
  ['--tls-ca-key <FILE>', 'private key of that CA', 'MACHINE_TLS_CA_KEY'],
  ['--tls-client-cert <FILE>', 'client certificate', 'MACHINE_TLS_CLIENT_CERT'],
  ['--tls-client-key <FILE>', 'private key of that certificate', 'MACHINE_TLS_CLIENT_KEY'],
  ['--native-ssh', 'use the built-in SSH client', 'MACHINE_NATIVE_SSH'],
];

/** Flags that stand before a command's name; `contextOf` reads them. */
export function addGlobalFlags(program: Command): void {
  for (const [names, description, env] of flags)
    program.addOption(fromEnv(new Option(names, description), env));
}

/** Whether an argument is a global flag whose value is the next argument. */
export function takesNext(arg: string): boolean {
  return flags.some(([names]) => names.includes('<') && names.split(/,? /).includes(arg));
}
