import { readFile } from 'node:fs/promises';
import type { TlsMaterial } from '../api/server.ts';
import type { TlsFiles } from '../config.ts';

/** Where a host puts a renewed certificate of a running VM, before it sends SIGHUP to the agent. */
export const renewedTls: TlsFiles = {
  ca: '/run/machine/tls/ca.pem',
  cert: '/run/machine/tls/cert.pem',
  key: '/run/machine/tls/key.pem',
};

export async function readTls(files: TlsFiles): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all(
    [files.ca, files.cert, files.key].map((path) => readFile(path, 'utf8')),
  );
  return { ca: ca!, cert: cert!, key: key! };
}
