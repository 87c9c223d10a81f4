import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessError, run } from '../../host/exec.ts';
import { newId } from '../../ids.ts';
import { BuildError } from '../build-error.ts';
import type { BuildRun } from '../solver/build-run.ts';
import { curlProxies, type Proxies, proxiesOf } from './proxies.ts';

export interface GitWish {
  /** Where the repository is put; a new directory is made in it. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly keepGitDir: boolean;
  readonly proxies: Proxies;
}

/**
 * The files of `URL#ref:subdirectory`, shallow. Throws BuildError with git's own words, and when there is no git.
 */
export async function cloneGit(
  url: string,
  { directory, signal, keepGitDir, proxies }: GitWish,
): Promise<string> {
  const [remote = '', fragment = ''] = url.split('#', 2);
  const [ref = '', subdirectory = ''] = fragment.split(':', 2);
  if (remote.startsWith('-') || ref.startsWith('-')) throw new BuildError(`invalid git URL "${url}"`);
  const place = join(directory, newId());
  mkdirSync(place, { recursive: true, mode: 0o755 });
  const git = (...args: string[]) =>
    run('git', ['-c', 'core.hooksPath=/dev/null', ...args], {
      cwd: place,
      signal,
      env: {
        ...{ PATH: process.env.PATH ?? '', HOME: '/root', GIT_TERMINAL_PROMPT: '0' },
        ...curlProxies(proxies),
      },
    });
  try {
    await git('init', '-q', '.');
    const fetch = (...how: string[]) => git('fetch', '-q', ...how, '--', remote, ref || 'HEAD');
    await fetch('--depth', '1').catch((error: unknown) => {
      // A plain web server has only all of it.
      if (error instanceof ProcessError && /shallow/.test(error.stderrTail)) return fetch();
      throw error;
    });
    await git('checkout', '-q', 'FETCH_HEAD');
    await git('submodule', 'update', '-q', '--init', '--recursive', '--depth', '1');
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ProcessError)) throw error;
    throw new BuildError(
      error.exitCode === 127
        ? `cannot fetch ${remote}: git is not installed where the engine runs; clone it yourself and build the directory`
        : `cannot fetch ${remote}: ${error.stderrTail}`,
      { cause: error },
    );
  }
  if (!keepGitDir) rmSync(join(place, '.git'), { recursive: true, force: true });
  return subdirectory === '' ? place : join(place, subdirectory);
}

/** ADD of a repository. */
export function checkout(
  url: string,
  { directory, supply, request }: Pick<BuildRun, 'directory' | 'supply' | 'request'>,
  { keepGitDir }: { readonly keepGitDir: boolean },
): Promise<string> {
  return cloneGit(url, { directory, signal: supply.signal, keepGitDir, proxies: proxiesOf(request) });
}
