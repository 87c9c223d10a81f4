import { readFile } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { Usage } from './errors.ts';

/** Where the engine is, in the words that every Docker client takes. */
export type Connection =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number; readonly tls: TlsMaterial };

/** PEM texts. */
export interface TlsMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Reads DOCKER_HOST and, for tcp, the certificates in DOCKER_CERT_PATH. Throws Usage for other kinds of host. */
export async function connectionFrom(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Connection> {
  const { DOCKER_HOST: host = '', DOCKER_CERT_PATH: directory = '' } = environment;
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  if (!host.startsWith('tcp://') || directory === '') {
    throw new Usage(`cannot reach "${host}": expected unix:///path, or tcp://host:port and DOCKER_CERT_PATH`);
  }
  const url = new URL(host);
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(directory, name), 'utf8')),
  );
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port),
    tls: { ca: ca!, cert: cert!, key: key! },
  };
}

/** One request on a connection of its own. */
export function send(connection: Connection, options: RequestOptions): ClientRequest {
  if ('socketPath' in connection) {
    return httpRequest({ ...options, agent: false, socketPath: connection.socketPath, host: 'docker' });
  }
  const { host, port, tls } = connection;
  return httpsRequest({ ...options, ...tls, agent: false, host, port });
}
