import type { StepDetail } from '../../provisioning/progress.ts';

/** `12.3 MB`, `1.2 GB`: three digits at most, decimal units. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** `0.4 s`, `12 s`, `3 min 20 s`. */
export function durationText(ms: number): string {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `unpack libc6 1.2 MB of 13.0 MB`. */
export function detailText({ text, doneBytes, totalBytes }: StepDetail): string {
  if (doneBytes === undefined) return text;
  const total = totalBytes ? ` of ${sizeText(totalBytes)}` : '';
  return `${text} ${sizeText(doneBytes)}${total}`.trim();
}
