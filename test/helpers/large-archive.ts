import { createHash, randomBytes } from 'node:crypto';
import { tarEntry } from '../../guest/layers/tar-entry.ts';
import { encodeHeader, tarEnd, tarPadding } from '../../guest/layers/tar-writer.ts';

const piece = randomBytes(1024 ** 2);

/** What `docker save` would print of an image with one file of `bytes` (whole MiB) in its layer; never in memory as a whole. */
export async function* dockerArchiveOf(name: string, bytes: number): AsyncGenerator<Buffer> {
  const layerSize = [...layerOf(bytes)].reduce((sum, part) => sum + part.length, 0);
  const hash = createHash('sha256');
  for (const part of layerOf(bytes)) hash.update(part);
  const config = JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${hash.digest('hex')}`] },
  });
  const manifest = JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]);
  yield* file('config.json', Buffer.from(config));
  yield* file('manifest.json', Buffer.from(manifest));
  yield header('layer.tar', layerSize);
  yield* layerOf(bytes);
  yield tarPadding(layerSize);
  yield tarEnd;
}

function* layerOf(bytes: number): Generator<Buffer> {
  yield header('large', bytes);
  for (let at = 0; at < bytes; at += piece.length) yield piece;
  yield tarEnd;
}

function* file(path: string, content: Buffer): Generator<Buffer> {
  yield header(path, content.length);
  yield content;
  yield tarPadding(content.length);
}

function header(path: string, size: number): Buffer {
  return encodeHeader(tarEntry({ path, type: 'file', mode: 0o644, size }));
}
