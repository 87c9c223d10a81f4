import { posix } from 'node:path';
import type { FileEntryWithStats, SFTPWrapper, Stats } from 'ssh2';
import { FailedPrecondition } from '../../../drivers/errors.ts';
import type { SshConnection } from '../connection.ts';
import type { Files } from './files.ts';

/** SSH_FX_NO_SUCH_FILE of the protocol. */
const noSuchFile = 2;

/** Files of a machine by SFTP; `name` is what people call it. Throws FailedPrecondition when it has no SFTP server. */
export async function remoteFiles({ client }: SshConnection, name: string): Promise<Files> {
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
    client.sftp((error, wrapper) => {
      if (error === undefined) resolve(wrapper);
      else reject(new FailedPrecondition(`machine "${name}" has no SFTP server`, { cause: error }));
    }),
  );
  const label = (path: string) => `${name}:${path}`;
  const ask = <Result>(path: string, work: (done: (error?: Error | null, result?: Result) => void) => void) =>
    new Promise<Result>((resolve, reject) =>
      work((error, result) => {
        if (error === undefined || error === null) resolve(result as Result);
        else reject(Object.assign(new FailedPrecondition(`${label(path)}: ${error.message}`), codeOf(error)));
      }),
    );
  return {
    async find(path) {
      const stats = await ask<Stats>(path, (done) => sftp.stat(path, done)).catch((error) => {
        if (codeOf(error).code === noSuchFile) return null;
        throw error;
      });
      if (stats === null) return null;
      const kind = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'other';
      return { kind, mode: stats.mode & 0o777 };
    },
    async list(path) {
      const entries = await ask<FileEntryWithStats[]>(path, (done) => sftp.readdir(path, done));
      return entries.map(({ filename }) => filename).filter((entry) => entry !== '.' && entry !== '..');
    },
    makeDirectory: (path, mode) => ask(path, (done) => sftp.mkdir(path, { mode }, done)),
    read: (path) => sftp.createReadStream(path),
    write: (path, mode) => sftp.createWriteStream(path, { mode }),
    join: posix.join,
    basename: (path) => posix.basename(path),
    label,
    fast: {
      get: (path, local) => ask(path, (done) => sftp.fastGet(path, local, done)),
      put: (local, path, mode) => ask(path, (done) => sftp.fastPut(local, path, { mode }, done)),
    },
  };
}

function codeOf(error: unknown): { readonly code?: unknown } {
  const { code } = error as { code?: unknown };
  return code === undefined ? {} : { code };
}
