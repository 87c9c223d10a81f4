import { status } from './protocol.ts';

/** A request that is answered with a status; its text is for people who read the client's messages. */
export class Refusal extends Error {
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

const codes: Readonly<Record<string, number>> = {
  ENOENT: status.noSuchFile,
  ENOTDIR: status.noSuchFile,
  EACCES: status.permissionDenied,
  EPERM: status.permissionDenied,
  EROFS: status.permissionDenied,
  ENOSPC: status.noSpace,
  EDQUOT: status.noSpace,
  EIO: status.noSpace,
};

/** What an error of the file system or of ours is in the protocol. No path of this computer is in the text. */
export function statusOf(error: unknown): { readonly code: number; readonly text: string } {
  if (error instanceof Refusal) return { code: error.code, text: error.message };
  const { code = '' } = error as NodeJS.ErrnoException;
  return { code: codes[code] ?? status.failure, text: code };
}
