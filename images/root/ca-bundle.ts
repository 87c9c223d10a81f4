import { readAll } from '../tree/content.ts';
import type { FileTree } from '../tree/file-tree.ts';

const source = '/usr/share/ca-certificates/mozilla';
export const caBundle = '/etc/ssl/certs/ca-certificates.crt';

/** What update-ca-certificates would do: all certificates in one file. The single files go. */
export async function bundleCertificates(tree: FileTree): Promise<void> {
  const directory = tree.get(source);
  if (directory?.kind !== 'directory') throw new Error(`no certificates at "${source}"`);
  const names = [...directory.children.keys()].filter((name) => name.endsWith('.crt')).sort();
  const texts = names.map(async (name) => {
    const node = directory.children.get(name)!;
    return node.kind === 'file' ? (await readAll(node.content)).toString('latin1').trimEnd() : '';
  });
  tree.file(caBundle, `${(await Promise.all(texts)).join('\n')}\n`);
  tree.remove('/usr/share/ca-certificates');
}
