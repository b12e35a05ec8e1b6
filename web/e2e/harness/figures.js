// Numbers for people.

/** The value that this share, in per cent, does not exceed. */
export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)];
}

/** Rows of texts under each other: the first column to the left, the others to the right. */
export function table(rows) {
  const widths = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  const line = (row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column] + 2)));
  return rows.map((row) => line(row).join("").trimEnd()).join("\n");
}
