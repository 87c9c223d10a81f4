import { basename } from 'node:path';
import { shells } from './shell.ts';

/**
 * The name of the user's shell: `$SHELL`, which Git Bash and other Unix shells on Windows set too; else, on
 * Windows, what started this program. A shell that is not known is taken for a POSIX one.
 */
export async function detectShell({
  env = process.env,
  platform = process.platform,
  parent = parentName,
}: {
  env?: NodeJS.ProcessEnv;
  platform?: NodeJS.Platform;
  parent?: () => Promise<string>;
} = {}): Promise<string> {
  const named = basename(env.SHELL?.replaceAll('\\', '/') ?? '').replace(/\.exe$/i, '');
  if (named !== '') return known(named) ?? 'bash';
  if (platform !== 'win32') return 'bash';
  const name = (await parent())
    .trim()
    .replace(/\.exe$/i, '')
    .toLowerCase();
  return name === 'pwsh' ? 'powershell' : (known(name) ?? 'cmd');
}

function known(name: string): string | undefined {
  if (name === 'csh') return 'tcsh';
  return Object.hasOwn(shells, name) ? name : undefined;
}

/** Windows keeps no name of a process where Node could read it. */
async function parentName(): Promise<string> {
  const [{ execFile }, { promisify }] = await Promise.all([
    import('node:child_process'),
    import('node:util'),
  ]);
  const script = `(Get-Process -Id ${process.ppid}).ProcessName`;
  const { stdout } = await promisify(execFile)('powershell', [
    '-NoProfile',
    '-NonInteractive',
    '-Command',
    script,
  ]);
  return stdout;
}
