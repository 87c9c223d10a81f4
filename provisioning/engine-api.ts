import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { FailedPrecondition, Timeout, Unavailable } from '../drivers/errors.ts';
import type { MachinePaths } from './paths.ts';

/** What an engine says of itself (`GET /version`). */
export interface EngineVersion {
  readonly version: string;
  readonly apiVersion: string;
}

/** Asks as a Docker client does: over TLS, with the client certificate. Throws Timeout or Unavailable, saying why. */
export async function engineVersion(
  url: string,
  paths: Pick<MachinePaths, 'ca' | 'cert' | 'key'>,
  { signal }: { signal: AbortSignal },
): Promise<EngineVersion> {
  const [ca, cert, key] = await Promise.all([paths.ca, paths.cert, paths.key].map((path) => readFile(path)));
  const { hostname, port } = new URL(url);
  const body = await new Promise<string>((resolve, reject) => {
    const sent = request(
      { host: hostname.replace(/^\[|\]$/g, ''), port, path: '/version', ca, cert, key, signal, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
          else reject(new FailedPrecondition(`it answered with status ${response.statusCode}`));
        });
      },
    );
    sent.on('error', reject).end();
  }).catch((cause: unknown) => {
    if (signal.aborted && signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError')
      throw new Timeout(`the engine at ${url} did not answer in time`);
    signal.throwIfAborted();
    throw new Unavailable(`the engine at ${url} does not answer`, { cause });
  });
  return parse(body, url);
}

function parse(body: string, url: string): EngineVersion {
  try {
    const { Version, ApiVersion } = JSON.parse(body) as Record<string, unknown>;
    if (typeof Version === 'string' && typeof ApiVersion === 'string')
      return { version: Version, apiVersion: ApiVersion };
  } catch {}
  throw new Unavailable(`what answers at ${url} is no Docker engine`);
}
