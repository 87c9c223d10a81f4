import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { Timeout, Unavailable } from '../../../drivers/errors.ts';

/** GET of the Docker API over a socket or named pipe. Throws Timeout, or Unavailable with what the answer says. */
export async function askSocket(path: string, url: string, signal: AbortSignal): Promise<unknown> {
  const { status, body } = await new Promise<{ status: number | undefined; body: string }>(
    (resolve, reject) => {
      request({ socketPath: path, path: url, signal, agent: false }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
      })
        .on('error', reject)
        .end();
    },
  ).catch((cause: unknown) => {
    if (signal.aborted) throw new Timeout('it did not answer in time');
    throw new Unavailable('it does not answer', { cause });
  });
  const answer = parse(body);
  if (status === 200) return answer;
  throw new Unavailable((answer as { message?: string } | null)?.message ?? `it answered with ${status}`);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
