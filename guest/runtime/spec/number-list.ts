const highest = 8192;

/** The kernel's list format, `0-3,5` (cpuset(7)) -> numbers; null when it is not one. */
export function parseNumberList(text: string): number[] | null {
  const parts = text
    .trim()
    .split(',')
    .map((part) => /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim()));
  if (parts.some((part) => part === null)) return null;
  return parts.flatMap((part) => {
    const first = Number(part![1]);
    const last = Math.min(Number(part![2] ?? first), highest);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
  });
}
