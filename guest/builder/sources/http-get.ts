import { type IncomingResponse, Transport } from '../../registry/transport.ts';
import type { Proxies } from './proxies.ts';

/** Gets a URL, redirects and proxies included. Throws Unreachable in Go's words (`Get "http://…": dial tcp: …`). */
export function httpGet(
  url: string,
  { proxies, signal }: { readonly proxies: Proxies; readonly signal: AbortSignal },
): Promise<IncomingResponse> {
  const transport = new Transport({ certificateDirectory: null, env: proxies, mayLeaveTls: true });
  return transport.send({ method: 'GET', url: new URL(url), verify: true, signal });
}
