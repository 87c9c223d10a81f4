/**
 * How long layers take: loading and saving 200 MB in a few large files and in many small ones, next to what
 * GNU tar needs to unpack the same bytes and sync them. Usage: node dist/test/bench/layers.js [rounds]
 * (Node 24, root)
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { digestOf, hexOf } from '../../guest/digest.ts';
import { type Images, openImages } from '../../guest/images/index.ts';
import { removeImage } from '../../guest/images/remove.ts';
import { saveImages } from '../../guest/images/save.ts';
import { selectSaved } from '../../guest/images/select-saved.ts';
import { openDatabase } from '../../guest/store/database.ts';
import { enginePaths } from '../../guest/store/paths.ts';
import { type MemberSpec, makeTar } from '../helpers/tar.ts';
import { interleave, row, type Spread, timed } from './measure.ts';

const rounds = Number(process.argv[2] ?? 5);
const megabyte = 1024 * 1024;
const shapes = { 'four files': [4, 50 * megabyte], '20000 files': [20_000, 10 * 1024] } as const;

const directory = mkdtempSync(join(tmpdir(), 'machine-bench-'));
try {
  for (const [name, [files, size]] of Object.entries(shapes)) {
    const layer = join(directory, 'layer.tar');
    const archive = join(directory, 'archive.tar');
    writeArchive(layer, archive, { files, size });
    const images = await open(join(directory, `data-${files}`));
    const plain = join(directory, 'plain');
    let round = 0;
    const results = await interleave(rounds, {
      load: () => timed(() => images.loadArchive(archive)),
      save: () => timed(() => saveToNothing(images)),
      remove: () => timed(() => removeImage(images, 'bench:1', { force: true, prune: true })),
      // Each round in a directory of its own: ext4 is slow to use an inode again that was freed just now.
      tar: () => timed(() => unpack(layer, `${plain}-${files}-${round++}`)),
    });
    console.log(row(`load, 200 MB in ${name}`, results.load), ratio(results.load, results.tar));
    console.log(row(`save, 200 MB in ${name}`, results.save));
    console.log(row(`remove, 200 MB in ${name}`, results.remove));
    console.log(row('tar -x and sync of the same', results.tar));
  }
} finally {
  rmSync(directory, { recursive: true });
}

function ratio(ours: Spread, theirs: Spread): string {
  return `  ${(ours.median / theirs.median).toFixed(2)} × tar`;
}

function writeArchive(layer: string, archive: string, shape: { files: number; size: number }): void {
  const members: MemberSpec[] = [];
  for (let i = 0; i < shape.files; i++) {
    members.push({
      path: `d${Math.floor(i / 100)}/f${i}`,
      content: randomBytes(shape.size).toString('latin1'),
    });
  }
  const tar = makeTar(members);
  const config = JSON.stringify({ os: 'linux', rootfs: { diff_ids: [digestOf(tar)] } });
  const name = `${hexOf(digestOf(config))}.json`;
  const manifest = JSON.stringify([{ Config: name, RepoTags: ['bench:1'], Layers: ['layer.tar'] }]);
  writeFileSync(layer, tar);
  writeFileSync(
    archive,
    makeTar([
      { path: 'layer.tar', content: tar.toString('latin1') },
      { path: name, content: config },
      { path: 'manifest.json', content: manifest },
    ]),
  );
}

function open(dataRoot: string): Promise<Images> {
  mkdirSync(dataRoot);
  const paths = enginePaths(dataRoot, join(dataRoot, 'run'));
  const db = openDatabase(paths.database);
  return openImages({ db, paths, events: { publish() {} }, usersOf: () => [] });
}

async function saveToNothing(images: Images): Promise<void> {
  const stream = saveImages(images, selectSaved(images.images, ['bench:1']));
  await pipeline(stream, new Writable({ write: (_chunk, _encoding, done) => done() }));
}

async function unpack(tar: string, into: string): Promise<void> {
  mkdirSync(into);
  execFileSync('tar', ['-xpf', tar, '-C', into]);
  execFileSync('sync', ['-f', into]);
}
