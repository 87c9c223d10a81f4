import { randomBytes } from 'node:crypto';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../host/exec.ts';
import type { Snapshotter } from '../../../layers/snapshotter.ts';
import { tarTree } from '../../../layers/tar-tree.ts';
import type { BuildResult } from '../../build.ts';
import { sendFile } from '../session/file-send.ts';
import { sendTree } from '../session/tree-sender.ts';
import { showVertex } from '../vertex.ts';
import type { Exporter, ExporterType } from './exporter.ts';

export interface FileExporterDependencies {
  readonly snapshotter: Pick<Snapshotter, 'view'>;
  /** Results are mounted below it while they are sent. */
  readonly exports: string;
}

/** `local`: the result's files in a directory of the client's. */
export function localExporter(deps: FileExporterDependencies): ExporterType {
  return withoutAttributes(async (result, { number, session, publish, signal }) =>
    showVertex('exporting to client directory', publish, async (vertex) => {
      await using shown = await show(result, deps);
      let sent = 0;
      await sendTree(await session(), number, {
        ...{ directory: shown.directory, signal },
        onBytes(bytes) {
          sent = bytes;
          vertex.status('copying files', bytes);
        },
      });
      vertex.status('copying files', sent, true);
      return {};
    }),
  );
}

/** `tar`: the same as one tar file. */
export function tarExporter(deps: FileExporterDependencies): ExporterType {
  return withoutAttributes(async (result, { number, session, publish, signal }) =>
    showVertex('exporting to client tarball', publish, async (vertex) => {
      await using shown = await show(result, deps);
      await sendFile(await session(), number, tarTree(shown.directory), signal);
      vertex.status('sending tarball', 0, true);
      return {};
    }),
  );
}

function withoutAttributes(exporter: Exporter): ExporterType {
  return (attributes) => {
    attributes.end();
    return exporter;
  };
}

/** The result's files, read-only. */
async function show(
  { chainId }: BuildResult,
  { snapshotter, exports }: FileExporterDependencies,
): Promise<AsyncDisposable & { readonly directory: string }> {
  const directory = join(exports, randomBytes(8).toString('hex'));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (chainId) {
    const { type, source, options, cwd = '/' } = snapshotter.view(chainId);
    const words = ['-i', '-t', type, '-o', options.join(','), source, directory];
    await run('busybox', ['mount', ...words], { cwd });
  }
  return {
    directory,
    async [Symbol.asyncDispose]() {
      if (chainId) await run('umount', ['-l', directory]);
      await rmdir(directory);
    },
  };
}
