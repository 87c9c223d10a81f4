import { randomBytes } from 'node:crypto';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../host/exec.ts';
import { formatPlatform } from '../../../images/platform.ts';
import type { Snapshotter } from '../../../layers/snapshotter.ts';
import { tarEntry } from '../../../layers/tar-entry.ts';
import { type NamedTree, tarTrees } from '../../../layers/tar-tree.ts';
import type { BuildResult } from '../../build.ts';
import type { Built } from '../built.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import { sendFile } from '../session/file-send.ts';
import { sendTree } from '../session/tree-sender.ts';
import { showVertex } from '../vertex.ts';
import type { ExporterType } from './exporter.ts';

export interface FileExporterDependencies {
  readonly snapshotter: Pick<Snapshotter, 'view'>;
  /** Results are mounted below it while they are sent. */
  readonly exports: string;
}

/** `local`: the results' files in a directory of the client's. */
export function localExporter(deps: FileExporterDependencies): ExporterType {
  return (attributes) => {
    const split = attributes.optionalFlag('platform-split');
    attributes.end();
    return {
      send: (built, { number, session, publish, signal }) =>
        showVertex('exporting to client directory', publish, async (vertex) => {
          const places = placesOf(built, split);
          const told = new Map<string, string>();
          for (const { result, place } of places) {
            await using shown = await show(result, deps);
            const label =
              place === null ? 'copying files' : `copying files ${formatPlatform(result.platform)}`;
            let sent = 0;
            await sendTree(await session(), number, {
              ...{ directory: shown.directory, place, signal },
              onFile: (path) => place === null && refuseTwice(path, result, told),
              onBytes(bytes) {
                sent = bytes;
                vertex.status(label, bytes);
              },
            });
            vertex.status(label, sent, true);
          }
          return {};
        }),
    };
  };
}

/** `tar`: the same as one tar file. */
export function tarExporter(deps: FileExporterDependencies): ExporterType {
  return (attributes) => {
    const split = attributes.optionalFlag('platform-split');
    attributes.end();
    return {
      ...(split === false && {
        refusesIndex: 'a tar of several platforms has a directory for each; leave out platform-split=false',
      }),
      send: (built, { number, session, publish, signal }) =>
        showVertex('exporting to client tarball', publish, async (vertex) => {
          await using stack = new AsyncDisposableStack();
          const trees: NamedTree[] = [];
          for (const { result, place } of placesOf(built, split)) {
            const { directory } = stack.use(await show(result, deps));
            trees.push({ directory, place: place === null ? null : placeEntry(place) });
          }
          await sendFile(await session(), number, tarTrees(trees), signal);
          vertex.status('sending tarball', 0, true);
          return {};
        }),
    };
  };
}

interface Place {
  readonly result: BuildResult;
  /** A directory of its own in the output; null = the output itself. */
  readonly place: string | null;
}

/** Several results are beside each other, in directories that are named for their platforms (`linux_arm64`). */
function placesOf({ results, isIndex }: Built, split: boolean | undefined): Place[] {
  return results.map((result) => ({
    result,
    place: (split ?? isIndex) ? formatPlatform(result.platform).replaceAll('/', '_') : null,
  }));
}

function placeEntry(path: string): NamedTree['place'] {
  return tarEntry({ path: `${path}/`, type: 'directory', mode: 0o755 });
}

/** Without directories of their own, results must not have the same files. */
function refuseTwice(path: string, { platform }: BuildResult, told: Map<string, string>): void {
  const its = formatPlatform(platform);
  const before = told.get(path);
  if (before !== undefined && before !== its)
    throw new GrpcError(
      codes.unknown,
      `cannot overwrite ${path} from ${before} with ${its} when split option is disabled`,
    );
  told.set(path, its);
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
