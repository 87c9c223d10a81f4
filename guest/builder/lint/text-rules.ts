import { instruct } from '../dockerfile/instruct.ts';
import type { Node, ParsedText } from '../dockerfile/nodes.ts';
import { plainWords } from '../dockerfile/words.ts';
import type { Report } from './rules.ts';

/** Rules that need no more than the text; those of an instruction that cannot be read, and of what follows, are left out. */
export function checkText({ nodes, directives }: ParsedText, report: Report): void {
  for (const { hasEmptyLines, joinedTo } of nodes)
    if (hasEmptyLines)
      report('NoEmptyContinuation', { first: joinedTo, last: joinedTo }, 'Empty continuation line');
  checkCasing(nodes, report);
  for (const node of nodes) {
    checkNode(node, report);
    try {
      instruct(node, directives.escape);
    } catch {
      return;
    }
  }
}

function checkCasing(nodes: readonly Node[], report: Report): void {
  const words = nodes.map(({ keyword }) => keyword);
  const lower = words.filter((word) => word === word.toLowerCase()).length;
  const upper = words.filter((word) => word === word.toUpperCase() && word !== word.toLowerCase()).length;
  const isLower = lower > upper;
  for (const { keyword, range } of nodes)
    if (keyword !== (isLower ? keyword.toLowerCase() : keyword.toUpperCase()))
      report(
        'ConsistentInstructionCasing',
        range,
        `Command '${keyword}' should match the case of the command majority (${isLower ? 'lowercase' : 'uppercase'})`,
      );
}

function checkNode({ keyword, rest, range }: Node, report: Report): void {
  const name = keyword.toUpperCase();
  if (name === 'MAINTAINER')
    report('MaintainerDeprecated', range, 'Maintainer instruction is deprecated in favor of using label');
  if (name !== 'FROM') return;
  const [, as, stage, ...more] = plainWords(rest).filter((word) => !word.startsWith('--'));
  if (as === undefined || stage === undefined || more.length > 0) return;
  if (stage !== stage.toLowerCase())
    report('StageNameCasing', range, `Stage name '${stage}' should be lowercase`);
  const [isLower, isUpper] = [keyword === keyword.toLowerCase(), keyword === keyword.toUpperCase()];
  // One that is neither is told of by its own rule.
  if ((isLower && as !== as.toLowerCase()) || (isUpper && as !== as.toUpperCase()))
    report('FromAsCasing', range, `'${as}' and '${keyword}' keywords' casing do not match`);
}
