import type { ImageExtra, OsImage } from '../images/os-image.ts';
import { installation } from './installation.ts';
import type { StepDetail } from './progress.ts';

/** The image that machines boot, from the cache, else built. Loaded only when one is needed: it is a large part. */
export async function osImage(
  cacheDirectory: string,
  {
    arch = process.arch === 'arm64' ? 'arm64' : 'amd64',
    extras = [],
    refresh = false,
    signal,
    report,
  }: {
    arch?: OsImage['arch'];
    extras?: readonly ImageExtra[];
    refresh?: boolean;
    signal?: AbortSignal;
    report?: (detail: StepDetail) => void;
  } = {},
): Promise<OsImage> {
  const { ensureOsImage } = await import('../images/index.ts');
  const { agent, boot } = await installation();
  return ensureOsImage({
    arch,
    extras,
    cacheDirectory,
    agentDirectory: agent,
    bootDirectory: boot,
    refresh,
    ...(signal && { signal }),
    onProgress: ({ phase, item, doneBytes, totalBytes }) =>
      report?.({ text: `${phase} ${item}`.trim(), doneBytes, totalBytes }),
  });
}
