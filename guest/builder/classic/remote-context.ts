import { mkdirSync, rmSync } from 'node:fs';
import type { DockerfileSource } from '../build.ts';
import { BuildError } from '../build-error.ts';
import { remoteKind } from '../solver/copy-layer.ts';
import { cloneGit } from '../sources/git-tree.ts';
import { httpGet } from '../sources/http-get.ts';
import type { Proxies } from '../sources/proxies.ts';
import { DirectoryContext, unpackContext } from './tar-context.ts';

/** A Dockerfile is a few KiB. */
const maxDockerfileBytes = 1024 * 1024;

/** A context that the engine gets itself: a repository, an archive, or a Dockerfile without a context. */
export async function openRemote(
  url: string,
  directory: string,
  { signal, proxies }: { readonly signal: AbortSignal; readonly proxies: Proxies },
): Promise<{ readonly context: DirectoryContext; readonly dockerfile: DockerfileSource | null }> {
  if (remoteKind(url) === 'git' || /^(github\.com|gitlab\.com)\//.test(url)) {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    try {
      const remote = /^git(hub|lab)\.com\//.test(url) ? `https://${url}` : url;
      const place = await cloneGit(remote, { directory, signal, keepGitDir: false, proxies });
      return { context: new DirectoryContext(place), dockerfile: null };
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }
  if (remoteKind(url) !== 'http') throw new BuildError(`unable to prepare context: "${url}" is no URL`);
  const response = await httpGet(url, { signal, proxies }).catch((cause: Error) => {
    signal.throwIfAborted();
    throw new BuildError(`error downloading remote context ${url}: ${cause.message}`, { cause });
  });
  if (response.status !== 200) {
    response.body.destroy();
    throw new BuildError(`error downloading remote context ${url}: status ${response.status}`);
  }
  const body = response.body as AsyncIterable<Buffer>;
  if (!/^text\//.test(response.headers['content-type'] ?? ''))
    return { context: await unpackContext(body, directory), dockerfile: null };
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxDockerfileBytes) throw new BuildError(`the Dockerfile at ${url} is too large`);
    chunks.push(Buffer.from(chunk));
  }
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const text = Buffer.concat(chunks).toString();
  return { context: new DirectoryContext(directory), dockerfile: { name: 'Dockerfile', text, ignore: null } };
}
