import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianClients } from '../compat/debian-clients.ts';

/** Gives the docker CLI Debian's buildx 0.13 and compose 2.26 as plugins; returns the reason when they cannot be had. */
export async function useBuildx(env: Readonly<Record<string, string>>): Promise<string | undefined> {
  if (debianClients instanceof Error) return `buildx cannot be had: ${debianClients.message}`;
  const { DOCKER_CONFIG = '' } = env;
  await mkdir(DOCKER_CONFIG, { recursive: true });
  const plugins = join(debianClients, 'usr', 'libexec', 'docker', 'cli-plugins');
  await writeFile(join(DOCKER_CONFIG, 'config.json'), JSON.stringify({ cliPluginsExtraDirs: [plugins] }));
  return undefined;
}
