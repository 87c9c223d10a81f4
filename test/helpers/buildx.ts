import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianTools } from '../compat/debian-tools.ts';

/** Gives the docker CLI Debian's buildx 0.13 and compose 2.26 as plugins; returns the reason when they cannot be had. */
export async function useBuildx(env: Readonly<Record<string, string>>): Promise<string | undefined> {
  const tools = await debianTools('clients').catch((error: Error) => error);
  if (tools instanceof Error) return `buildx cannot be had: ${tools.message}`;
  const { DOCKER_CONFIG = '' } = env;
  await mkdir(DOCKER_CONFIG, { recursive: true });
  const plugins = join(tools, 'usr', 'libexec', 'docker', 'cli-plugins');
  await writeFile(join(DOCKER_CONFIG, 'config.json'), JSON.stringify({ cliPluginsExtraDirs: [plugins] }));
  return undefined;
}
