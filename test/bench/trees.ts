import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../helpers/run-command.ts';
import { type MemberSpec, makeTar } from '../helpers/tar.ts';
import type { Sizes } from './directory-works.ts';

/** Files of a tree, about 20 to a directory, three deep, of some hundred bytes to 4 KiB each, alike every time. */
function* treeFiles(count: number): Generator<{ readonly path: string; readonly content: string }> {
  for (let i = 0; i < count; i++) {
    const package_ = Math.floor(i / 20);
    const path = `package-${package_}/${i % 20 < 6 ? '' : i % 20 < 13 ? 'lib/' : 'lib/internal/'}file-${i}.js`;
    yield { path, content: `// ${path}\n`.repeat(4 + ((i * 37) % 100)) };
  }
}

/** A git repository with a commit of `count` files, in a directory that is not there yet. Needs this computer's git. */
export async function makeRepository(directory: string, count: number): Promise<void> {
  for (const { path, content } of treeFiles(count)) {
    const file = join(directory, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, content);
  }
  const git = async (...args: string[]) => {
    const { exitCode, stderr } = await runCommand('git', ['-C', directory, ...args]);
    if (exitCode !== 0) throw new Error(`git ${args[0]}: ${stderr}`);
  };
  await git('init', '-q');
  await git('add', '.');
  await git('-c', 'user.name=bench', '-c', 'user.email=bench@localhost', 'commit', '-q', '-m', 'all');
}

/** A tar of `node_modules` with `count` files, as packages are unpacked to. */
export function packagesTar(count: number): Buffer {
  const members: MemberSpec[] = [];
  const made = new Set<string>();
  for (const { path, content } of treeFiles(count)) {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const directory = parts.slice(0, depth).join('/');
      if (!made.has(directory)) members.push({ path: `node_modules/${directory}`, type: 'directory' });
      made.add(directory);
    }
    members.push({ path: `node_modules/${path}`, content });
  }
  return makeTar(members);
}

/** What the works of the bench are done in. */
export async function fillDirectory(directory: string, { files, largeMiB }: Sizes): Promise<void> {
  await mkdir(join(directory, 'many'), { recursive: true });
  await writeFile(join(directory, 'large'), randomBytes(largeMiB * 1024 ** 2));
  for (let i = 1; i <= 500; i++) await writeFile(join(directory, 'many', `${i}`), `${i}`);
  await makeRepository(join(directory, 'repository'), files);
}
