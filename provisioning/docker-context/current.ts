import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { FailedPrecondition } from '../../drivers/errors.ts';
import { writeFileAtomic } from '../../drivers/write-file-atomic.ts';
import type { DockerConfig } from './files.ts';

/** What `docker context use` has chosen, or null. Throws FailedPrecondition when the settings cannot be read. */
export async function currentContext(config: DockerConfig): Promise<string | null> {
  const { currentContext } = (await readSettings(config)) ?? {};
  return typeof currentContext === 'string' && currentContext !== '' ? currentContext : null;
}

/**
 * Does what `docker context use` does; null leaves the choice to the environment. Everything else in the settings
 * stays, and so do their owner's rights; a link to them stays a link. Throws FailedPrecondition when they are damaged.
 */
export async function setCurrentContext(name: string | null, config: DockerConfig): Promise<void> {
  const settings = await readSettings(config);
  if (settings === null && name === null) return;
  const { currentContext: _before, ...rest } = settings ?? {};
  const changed = name === null ? rest : { ...rest, currentContext: name };
  await mkdir(config.directory, { recursive: true, mode: 0o700 });
  const file = await realpath(config.settings).catch(() => config.settings);
  const mode = settings === null ? 0o600 : (await stat(file)).mode & 0o777;
  // As the docker CLI writes it.
  await writeFileAtomic(file, JSON.stringify(changed, null, '\t'), { mode });
}

async function readSettings({ settings }: DockerConfig): Promise<Record<string, unknown> | null> {
  const text = await readFile(settings, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (text === null) return null;
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {}
  throw new FailedPrecondition(`"${settings}" is not a JSON object; docker cannot read it either`);
}
