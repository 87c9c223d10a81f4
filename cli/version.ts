import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installation } from '../provisioning/installation.ts';

/** As docker-machine words it. */
export function versionLine(): string {
  return `machine version ${ownVersion()}`;
}

/** Of this program, from its package.json. */
export function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(join(installation().root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
