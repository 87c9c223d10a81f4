/** SQLITE_FULL. */
const full = 13;

/** Whether an error, of SQLite or of the file system, says that there is no space left. */
export function isDiskFull(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return code === 'ENOSPC' || code === 'EDQUOT' || errcode === full;
}

/** For what may be lost when the disk is full, because more would be lost by ending. */
export function unlessDiskFull(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}
