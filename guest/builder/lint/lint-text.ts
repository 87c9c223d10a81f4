import type { BuildRequest } from '../build.ts';
import { parseNodes } from '../dockerfile/nodes.ts';
import { Linter } from './linter.ts';
import type { Finding } from './rules.ts';
import { checkText } from './text-rules.ts';

/** Begins a check: with what the text alone says. Throws BuildError for a text that has no instructions. */
export function lintText(
  { dockerfile, buildArgs }: Pick<BuildRequest, 'dockerfile' | 'buildArgs'>,
  tell?: (finding: Finding) => void,
): Linter {
  const parsed = parseNodes(dockerfile.text);
  const linter = new Linter(buildArgs.BUILDKIT_DOCKERFILE_CHECK ?? parsed.directives.check, tell);
  checkText(parsed, linter.report);
  return linter;
}
