import { readFile, rm } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { writeFileAtomic } from '../../drivers/write-file-atomic.ts';
import type { MachinePaths } from '../paths.ts';

/** Of Windows' own OpenSSH. */
const windowsAgent = '\\\\.\\pipe\\openssh-ssh-agent';

/** Where the ssh-agent of whoever runs this is: a unix socket, or a named pipe; null when he has none. */
export function userAgent(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string | null {
  const path = env.SSH_AUTH_SOCK || null;
  if (platform === 'win32') return path?.startsWith('\\\\.\\pipe\\') ? path : windowsAgent;
  return path !== null && isAbsolute(path) ? path : null;
}

/**
 * Remembers it for the machine's supervisor, whose own environment is that of whoever started it first: an agent moves
 * with each login, and `machine start` says where it is now.
 */
export async function rememberAgent(
  { sshAgent }: Pick<MachinePaths, 'sshAgent'>,
  agent: string | null,
): Promise<void> {
  if (agent === null) await rm(sshAgent, { force: true });
  else await writeFileAtomic(sshAgent, `${agent}\n`);
}

/** Null when there was none. */
export async function rememberedAgent({ sshAgent }: Pick<MachinePaths, 'sshAgent'>): Promise<string | null> {
  const text = await readFile(sshAgent, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '';
  });
  return text.replace(/\n$/, '') || null;
}
