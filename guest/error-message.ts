import { isDiskFull } from './store/disk-full.ts';

/** What a client is told of an error. */
export function messageOf(error: unknown): string {
  if (isDiskFull(error)) return 'no space left on device; docker system prune may give some back';
  return error instanceof Error ? error.message : String(error);
}
