import { hash } from 'node:crypto';
import { InvalidParameter } from './errors.ts';

/** `sha256:` and 64 lower-case hex digits (OCI image spec, descriptor.md, "Digests"). */
export type Digest = `sha256:${string}`;

const pattern = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** Throws InvalidParameter when `text` is not a sha256 digest. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text))
    throw new InvalidParameter(`invalid digest "${text}"; expected sha256:<64 hex digits>`);
  return text;
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${hash('sha256', bytes)}`;
}

/** The hex part, which names files. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
