import { Unavailable } from '../../drivers/errors.ts';
import { type OpenOptions, openUrl } from './request.ts';
import { type RetryOptions, retry } from './retry.ts';

/** A small text. Throws Unavailable, also when it is larger than `maxBytes`. */
export async function fetchText(
  url: string,
  { maxBytes = 4 << 20, ...options }: OpenOptions & RetryOptions & { readonly maxBytes?: number } = {},
): Promise<string> {
  return retry(async () => {
    const { body } = await openUrl(url, options);
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of body) {
      size += part.length;
      if (size > maxBytes) throw new Unavailable(`${url} is larger than ${maxBytes} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts).toString('utf8');
  }, options);
}
