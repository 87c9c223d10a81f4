import { resolve } from 'node:path';
import type { Command } from 'commander';
import { MachineStore } from '../provisioning/machine-store.ts';
import { defaultStoreRoot, storePaths } from '../provisioning/paths.ts';

/** Flags before the command's name. */
interface GlobalOptions {
  readonly debug?: boolean;
  readonly storagePath?: string;
  readonly tlsCaCert?: string;
  readonly tlsCaKey?: string;
  readonly tlsClientCert?: string;
  readonly tlsClientKey?: string;
  readonly nativeSsh?: boolean;
}

export interface Context {
  readonly store: MachineStore;
  readonly nativeSsh: boolean;
}

/** What a command's action works with; `command` is the last argument that commander hands to it. */
export function contextOf(command: Command): Context {
  const options = command.optsWithGlobals<GlobalOptions>();
  const file = (path: string | undefined) => (path ? resolve(path) : undefined);
  const root = options.storagePath ? resolve(options.storagePath) : defaultStoreRoot();
  const paths = storePaths(root, {
    cache: file(process.env.MACHINE_CACHE_PATH),
    certificates: {
      ca: file(options.tlsCaCert),
      caKey: file(options.tlsCaKey),
      cert: file(options.tlsClientCert),
      key: file(options.tlsClientKey),
    },
  });
  return { store: new MachineStore(paths), nativeSsh: options.nativeSsh ?? false };
}
