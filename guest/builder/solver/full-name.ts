import { isDigest } from '../../digest.ts';
import { formatReference, parseReference, withDefaultTag } from '../../reference.ts';

/** An image's name as displays have it: `docker.io/library/busybox:latest`. An id stays what it is. */
export function fullName(reference: string): string {
  return isDigest(reference) ? reference : formatReference(withDefaultTag(parseReference(reference)));
}
