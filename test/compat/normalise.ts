/** What differs from one run to the next: ids, digests, times and ages. First match wins. */
const variable: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{64}\b/g, '<id>'],
  [/\b(?=[a-f]*\d)[0-9a-f]{12}\b/g, '<short id>'],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d( [A-Z]+)?)/g, '<time>'],
  [/(\d+|About an?|Less than a) (second|minute|hour)s?/g, '<while>'],
  [/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>'],
];

const nothingSaid =
  /^(Run|See) 'docker .*--help'|^exit status 1$|^time=\S+ level=error msg="Can't .* tar.*read\/write on closed pipe"$/;

/** Lines of an output, comparable with those of another run; columns of tables are two spaces apart. */
export function normalise(output: string): string[] {
  const text = variable.reduce((rest, [pattern, name]) => rest.replace(pattern, name), output);
  const lines = text.split(/\r?\n/).map((line) => line.replace(/(?<=\S) {2,}/g, '  ').trimEnd());
  // Blank lines hold a transcript's sections apart, and say nothing; no more does a client's hint at its help
  // or its "exit status 1",
  // for which each has other words, as it has a full stop or none behind a message. A client that packs files
  // for a place that it then finds missing complains of its own closed pipe, or comes too late to.
  return lines
    .filter((line) => line !== '' && !nothingSaid.test(line))
    .map((line) => (line.startsWith('docker: ') ? line.replace(/\.$/, '') : line));
}
