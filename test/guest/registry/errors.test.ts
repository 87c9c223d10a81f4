import t from 'tap';
import { parseReference } from '../../../guest/reference.ts';
import { pullError, refusalOf } from '../../../guest/registry/errors.ts';

const body = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] });

t.test('what a registry refuses is told in dockerd’s words', async (t) => {
  const reference = parseReference('busybox:1');
  const told = (status: number, text: string) => pullError(refusalOf(status, text), reference) as Error;
  const table: [number, string, string, number][] = [
    [
      401,
      body('UNAUTHORIZED', 'authentication required'),
      "pull access denied for busybox, repository does not exist or may require 'docker login': unauthorized: authentication required",
      404,
    ],
    [
      403,
      body('DENIED', 'requested access to the resource is denied'),
      "pull access denied for busybox, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      404,
    ],
    [
      404,
      body('MANIFEST_UNKNOWN', 'manifest unknown'),
      'manifest for busybox:1 not found: manifest unknown: manifest unknown',
      404,
    ],
    [
      404,
      body('NAME_UNKNOWN', 'repository name not known to registry'),
      'repository busybox not found: name unknown: repository name not known to registry',
      404,
    ],
    [404, '<html>', 'manifest for busybox:1 not found: manifest unknown: not found', 404],
    [429, body('TOOMANYREQUESTS', 'slow down'), 'toomanyrequests: slow down', 500],
    [500, '', 'unknown: unexpected status code 500', 500],
    [400, body('X', 'a\u001b[31mb\nc'), 'x: a [31mb c', 500],
  ];
  for (const [status, text, message, httpStatus] of table)
    t.match(told(status, text), { message, httpStatus }, `${status} ${text}`);
});
