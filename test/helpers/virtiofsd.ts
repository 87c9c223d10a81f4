import { readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { findDaemon } from '../../drivers/qemu/virtiofs/find-daemon.ts';
import { debianTools } from '../compat/debian-tools.ts';

/** What commands need in their environment to find a virtiofsd that is new enough: this computer's, else Debian 13's. */
export async function virtiofsdEnvironment(): Promise<Record<string, string>> {
  const own = await findDaemon().catch(() => null);
  if (own !== null) return {};
  const root = await debianTools('virtiofsd');
  const [libraries] = await readdir(join(root, 'usr/lib')).then((names) =>
    names.filter((name) => name.endsWith('-linux-gnu')).map((name) => join(root, 'usr/lib', name)),
  );
  const [loader] = (await readdir(libraries!)).filter((name) => name.startsWith('ld-linux'));
  const bin = join(root, 'usr/libexec');
  // The program itself is in the same directory by the same name, so the one to be found is in another.
  const program = join(root, 'virtiofsd');
  const line = [join(libraries!, loader!), '--library-path', libraries!, join(bin, 'virtiofsd')];
  await writeFile(program, `#!/bin/sh\nexec ${line.map((word) => `'${word}'`).join(' ')} "$@"\n`, {
    mode: 0o755,
  });
  return { PATH: `${root}${delimiter}${process.env.PATH ?? ''}` };
}
