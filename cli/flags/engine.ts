import { Option } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';
import type { HostOptions } from '../../provisioning/machine-record.ts';
import { fromEnv } from './from-env.ts';
import { repeated } from './repeated.ts';

export interface EngineFlags {
  readonly engineInstallUrl?: string;
  readonly engineOpt: readonly string[];
  readonly engineInsecureRegistry: readonly string[];
  readonly engineRegistryMirror: readonly string[];
  readonly engineLabel: readonly string[];
  readonly engineStorageDriver?: string;
  readonly engineEnv: readonly string[];
}

/** What layers are stacked with, under the name that dockerd has for it. */
const storageDriver = 'overlay2';

export function engineFlags(): Option[] {
  const list = (flag: string, text: string) => new Option(flag, text).default([], 'none').argParser(repeated);
  return [
    list('--engine-label <KEY=VALUE>', 'a label of the engine'),
    list('--engine-env <NAME=VALUE>', 'a variable in the engine’s environment'),
    list('--engine-insecure-registry <HOST>', 'a registry to talk to without verified TLS'),
    fromEnv(list('--engine-registry-mirror <URL>', 'a mirror of Docker Hub'), 'ENGINE_REGISTRY_MIRROR'),
    new Option('--engine-storage-driver <NAME>', `only ${storageDriver}`),
    fromEnv(
      new Option('--engine-install-url <URL>', 'not supported').hideHelp(),
      'MACHINE_DOCKER_INSTALL_URL',
    ),
    list('--engine-opt <KEY=VALUE>', 'not supported').hideHelp(),
  ].map((option) => option.helpGroup('Options of the engine:'));
}

/** Throws InvalidArgument for what the engine cannot honour. */
export function engineOptions(flags: EngineFlags): HostOptions['EngineOptions'] {
  if (flags.engineInstallUrl !== undefined)
    throw new InvalidArgument(
      '--engine-install-url: the engine comes with machine and is not installed from a URL',
    );
  if (flags.engineOpt.length > 0)
    throw new InvalidArgument('--engine-opt: the engine is not dockerd and takes none of its flags');
  if (flags.engineStorageDriver !== undefined && flags.engineStorageDriver !== storageDriver)
    throw new InvalidArgument(
      `--engine-storage-driver "${flags.engineStorageDriver}": there is only ${storageDriver}`,
    );
  for (const line of flags.engineEnv)
    if (!/^[A-Za-z_]\w*=/.test(line)) throw new InvalidArgument(`--engine-env "${line}" is not NAME=VALUE`);
  for (const label of flags.engineLabel)
    if (!/^[^=\s]+=/.test(label)) throw new InvalidArgument(`--engine-label "${label}" is not KEY=VALUE`);
  for (const mirror of flags.engineRegistryMirror)
    if (!/^https?:\/\/[^/]/.test(mirror))
      throw new InvalidArgument(`--engine-registry-mirror "${mirror}" is not an http or https URL`);
  return {
    Labels: [...flags.engineLabel],
    InsecureRegistry: [...flags.engineInsecureRegistry],
    RegistryMirror: [...flags.engineRegistryMirror],
    Env: [...flags.engineEnv],
  };
}
