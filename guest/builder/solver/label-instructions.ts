import type { StageInstruction } from '../dockerfile/instruction.ts';
import type { LineRange } from '../line-range.ts';

/**
 * `--label`s as the classic builder has them: an instruction each, by the alphabet.
 *
 * @param mark the Dockerfile's escape character
 */
export function labelInstructions(
  labels: Readonly<Record<string, string>>,
  range: LineRange,
  mark: string,
): StageInstruction[] {
  return Object.keys(labels)
    .sort()
    .map((name) => ({
      kind: 'label',
      keyword: 'LABEL',
      text: `LABEL ${name}=${labels[name]}`,
      range,
      pairs: [[literal(name, mark), literal(labels[name]!, mark)]],
    }));
}

/** Nothing in it is a variable's. */
function literal(text: string, mark: string): string {
  const quoted = [...text].map((char) =>
    char === '"' || char === '$' || char === mark ? mark + char : char,
  );
  return `"${quoted.join('')}"`;
}
