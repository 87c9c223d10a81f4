import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FailedPrecondition, InvalidArgument } from '../../drivers/errors.ts';
import type { MirrorSettings } from '../os-image.ts';
import { type AptSource, parseDeb822Sources, parseOneLineSources } from './apt-sources.ts';

export interface Mirrors {
  /** URL of the Debian archive, without a slash at the end. */
  readonly debian: string;
  /** URL of the security archive; null when the user chose to do without. */
  readonly security: string | null;
}

export interface FindMirrorsOptions {
  readonly settings?: MirrorSettings;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly aptSources?: readonly AptSource[];
}

const releases = 'stable oldstable testing unstable sid forky trixie bookworm bullseye buster'.split(' ');

/**
 * The archive to fetch from: MACHINE_DEBIAN_MIRROR, else the config file, else what this computer's apt uses
 * (any release: an archive holds them all). The security archive likewise, or beside the first by Debian's
 * own naming. Throws FailedPrecondition saying what to set when there is none.
 */
export function findMirrors({ settings = {}, env = {}, aptSources = [] }: FindMirrorsOptions): Mirrors {
  const given = env.MACHINE_DEBIAN_MIRROR ?? settings.debian;
  const givenSecurity = env.MACHINE_DEBIAN_SECURITY_MIRROR ?? settings.security;
  const fromApt = aptSources.find(({ uri, suite }) => isWeb(uri) && releases.includes(suite))?.uri;
  const securityFromApt = aptSources.find(({ uri, suite }) => isWeb(uri) && isSecurity(suite))?.uri;
  const debian = given ?? fromApt;
  if (debian === undefined) {
    throw new FailedPrecondition(
      'no Debian archive is known to build the OS image from; set MACHINE_DEBIAN_MIRROR to the URL of one (a mirror, or a dated snapshot)',
    );
  }
  // What apt says about security belongs to apt's archive, not to one the user named instead.
  const security =
    givenSecurity ?? (given === undefined ? securityFromApt : undefined) ?? `${trim(debian)}-security`;
  return { debian: checked(debian), security: security === 'none' ? null : checked(security) };
}

/** What apt is set to use on this computer; empty on one without apt. */
export async function readAptSources(directory = '/etc/apt'): Promise<AptSource[]> {
  const names = await unlessMissing(readdir(join(directory, 'sources.list.d')), []);
  const files = ['sources.list', ...names.sort().map((name) => join('sources.list.d', name))];
  const parsed = files.map(async (name) => {
    const parse = name.endsWith('.sources') ? parseDeb822Sources : parseOneLineSources;
    return /\.(list|sources)$/.test(name)
      ? parse(await unlessMissing(readFile(join(directory, name), 'utf8'), ''))
      : [];
  });
  return (await Promise.all(parsed)).flat();
}

async function unlessMissing<T>(reading: Promise<T>, fallback: T): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES') return fallback;
    throw error;
  }
}

function isWeb(uri: string): boolean {
  return /^https?:/.test(uri);
}

function isSecurity(suite: string): boolean {
  return releases.some((release) => suite === `${release}-security`);
}

function checked(url: string): string {
  if (!isWeb(url) || !URL.canParse(url))
    throw new InvalidArgument(`"${url}" is not an http or https URL of a Debian archive`);
  return trim(url);
}

function trim(url: string): string {
  return url.replace(/\/+$/, '');
}
