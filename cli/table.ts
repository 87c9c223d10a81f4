const minimumWidth = 5;
const gap = 3;

/** Columns as docker-machine aligned them: at least five wide, three spaces apart, nothing behind the last. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(Math.max(widths[i]! + gap, minimumWidth))))
      .join('');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}
