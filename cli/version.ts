import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installation } from '../provisioning/installation.ts';

/** As docker-machine words it. */
export async function versionLine(): Promise<string> {
  return `machine version ${await ownVersion()}`;
}

/** Of this program, from its package.json. */
export async function ownVersion(): Promise<string> {
  const { root } = await installation();
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return version;
}
