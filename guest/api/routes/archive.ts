import { accessSync, constants, fstatSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import type { Container } from '../../containers/container.ts';
import { userOf } from '../../containers/container-wish.ts';
import type { Containers } from '../../containers/containers.ts';
import type { Dependencies } from '../../containers/dependencies.ts';
import { type OpenFiles, openFiles } from '../../containers/open-files.ts';
import { Forbidden, InvalidParameter, NotFound } from '../../errors.ts';
import { type ArchivePath, openArchivePath } from '../../layers/archive-path.ts';
import { decompressed } from '../../layers/compression.ts';
import { extractTar } from '../../layers/extract.ts';
import { goFileMode } from '../../layers/go-file-mode.ts';
import { byteString } from '../../layers/tar-entry.ts';
import { tarTree } from '../../layers/tar-tree.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

const contentType = 'application/x-tar';

/** The files of containers: `docker export` and `docker cp`. */
export function archiveRoutes(options: {
  readonly containers: Containers;
  readonly deps: Dependencies;
}): Route[] {
  const { containers, deps } = options;
  const find = ({ params }: ApiRequest) => containers.get(params.id!);
  const open = (container: Container, { signal }: ApiRequest, { mounts }: { readonly mounts: boolean }) =>
    openFiles(container, deps, { mounts, signal });
  return [
    { method: 'GET', path: '/containers/:id/export', handle: exportTree },
    { method: 'HEAD', path: '/containers/:id/archive', handle: stat },
    { method: 'GET', path: '/containers/:id/archive', handle: copyOut },
    { method: 'PUT', path: '/containers/:id/archive', handle: copyIn },
  ];

  async function exportTree(request: ApiRequest): Promise<Reply> {
    const container = find(request);
    const files = await open(container, request, { mounts: false });
    const top = files.root.open('/');
    const stream = sent(tarTree(top.processPath), request, () => close(files));
    container.publish('export');
    return { stream, contentType };
  }

  async function stat(request: ApiRequest): Promise<Reply> {
    const path = pathOf(request);
    const container = find(request);
    await using files = await open(container, request, { mounts: true });
    using found = look(files, request, path);
    return { status: 200, headers: statHeader(found) };
  }

  async function copyOut(request: ApiRequest): Promise<Reply> {
    const path = pathOf(request);
    const container = find(request);
    const files = await open(container, request, { mounts: true });
    try {
      const found = look(files, request, path);
      const stream = sent(found.tar(), request, () => {
        found[Symbol.dispose]();
        return close(files);
      });
      container.publish('archive-path');
      return { stream, contentType, headers: statHeader(found) };
    } catch (error) {
      await files[Symbol.asyncDispose]();
      throw error;
    }
  }

  async function copyIn(request: ApiRequest): Promise<Reply> {
    const { query, body } = request;
    const path = pathOf(request);
    const container = find(request);
    const { User } = container.record.config;
    // As dockerd: what it calls copying owners gives everything to the container's user, if it has one.
    const owner = query.flag('copyUIDGID') && User ? userOf(container.record, deps, User) : undefined;
    await using files = await open(container, request, { mounts: true });
    let isVolume = false;
    try {
      {
        using top = files.root.open('/');
        using target = files.root.open(byteString(path));
        isVolume = fstatSync(target.fd).dev !== fstatSync(top.fd).dev;
        // With EROFS, whoever asks.
        accessSync(target.processPath, constants.W_OK);
      }
      await extractTar(files.root, path, decompressed(body), {
        noOverwriteDirNonDir: query.flag('noOverwriteDirNonDir'),
        ...(owner ? { owner: { uid: owner.uid, gid: owner.gid } } : {}),
      });
    } catch (error) {
      if (error instanceof NotFound) throw notFound(path, request, error);
      if ((error as NodeJS.ErrnoException).code !== 'EROFS') throw error;
      throw new Forbidden(
        isVolume ? 'mounted volume is marked read-only' : 'container rootfs is marked read-only',
      );
    }
    container.publish('extract-to-dir');
    return { status: 200 };
  }

  async function close(files: OpenFiles): Promise<void> {
    try {
      await files[Symbol.asyncDispose]();
    } catch (error) {
      deps.log.warn({ error }, "cannot close a container's files");
    }
  }
}

/** `done` is called in any case, also when the client is gone before anybody reads the stream. */
function sent(stream: Readable, { signal }: ApiRequest, done: () => Promise<void>): Readable {
  stream.once('close', () => void done());
  return addAbortSignal(signal, stream);
}

function look(files: OpenFiles, request: ApiRequest, path: string): ArchivePath {
  try {
    return openArchivePath(files.root, path);
  } catch (error) {
    throw error instanceof NotFound ? notFound(path, request, error) : error;
  }
}

function notFound(path: string, { params }: ApiRequest, cause: NotFound): NotFound {
  return new NotFound(`Could not find the file ${path} in container ${params.id}`, { cause });
}

function pathOf({ query }: ApiRequest): string {
  const path = query.text('path');
  if (!path) throw new InvalidParameter('bad parameter: "path" is missing');
  if (path.includes('\0')) throw new InvalidParameter('bad parameter: "path" holds a NUL');
  return path;
}

/** What `docker cp` decides by (Engine API, ContainerArchiveInfo). */
function statHeader({ name, stat, linkTarget }: ArchivePath): Record<string, string> {
  const { size, mode, mtime } = stat;
  const shape = { name, size, mode: goFileMode(mode), mtime: mtime.toISOString(), linkTarget };
  return {
    'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(shape)).toString('base64'),
  };
}
