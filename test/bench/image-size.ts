/**
 * How large the OS image is, as it lies on disk and as it would be sent.
 * Usage: node dist/test/bench/image-size.js [amd64|arm64]; needs xz. Builds the image when it is not cached.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ensureOsImage } from '../../images/index.ts';

const limitBytes = 90e6;
const arch = process.argv[2] === 'arm64' ? 'arm64' : 'amd64';
const image = await ensureOsImage({
  arch,
  cacheDirectory: process.env.MACHINE_CACHE_PATH ?? join(tmpdir(), 'machine-test-cache'),
  agentDirectory: 'dist/bundle/agent',
  bootDirectory: 'guest/boot',
});
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1).padStart(6)} MB`;

let [plain, packed] = [0, 0];
for (const path of [image.kernel, image.initramfs, image.root, image.agent]) {
  const { size } = await stat(path);
  const packedSize = await packedSizeOf(path);
  console.log(`${basename(path).slice(0, 16).padEnd(16)} ${megabytes(size)}   xz ${megabytes(packedSize)}`);
  plain += size;
  packed += packedSize;
}
console.log(
  `${`${arch}, all`.padEnd(16)} ${megabytes(plain)}   xz ${megabytes(packed)}   (limit ${megabytes(limitBytes)})`,
);
process.exitCode = packed > limitBytes ? 1 : 0;

/** Bytes of the file as `xz -6` packs it. */
async function packedSizeOf(path: string): Promise<number> {
  const file = await open(path);
  const packing = spawn('xz', ['-6', '-T0', '-c'], { stdio: [file.fd, 'pipe', 'inherit'] });
  const ended = once(packing, 'close');
  let size = 0;
  for await (const chunk of packing.stdout!) size += (chunk as Buffer).length;
  const [status] = await ended;
  await file.close();
  if (status !== 0) throw new Error(`xz ended with status ${status}`);
  return size;
}
