import type { DockerfileSource } from '../build.ts';
import { parseDirectives } from '../dockerfile/directives.ts';
import { parseError } from '../dockerfile/parse-error.ts';

/** Docker's own front end, from wherever it is mirrored. */
const ours = /(?:^|\/)dockerfile(?:-upstream)?(?:[:@].*)?$/;

/** Throws BuildError for a line `# syntax=` that names a front end whose part ours cannot take. */
export function checkSyntaxLine({ text }: DockerfileSource): void {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const { syntax } = parseDirectives(lines);
  // What follows the name is for the front end.
  const [image = ''] = syntax?.split(/\s/) ?? [];
  if (image === '' || ours.test(image)) return;
  const at = lines.findIndex((line) => /^#\s*syntax\s*=/i.test(line)) + 1;
  throw parseError(
    { first: at, last: at },
    `this engine reads Dockerfiles with a front end of its own, in place of docker/dockerfile; it does not run ${image}`,
  );
}
