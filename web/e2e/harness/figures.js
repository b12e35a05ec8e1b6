// Numbers for people.

/** Rows of texts under each other: the first `texts` columns to the left, the others to the right. */
export function table(rows, texts = 1) {
  const widths = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  const line = (row) => row.map((cell, column) => (column < texts ? cell.padEnd(widths[column] + 2) : cell.padStart(widths[column] + 2)));
  return rows.map((row) => line(row).join("").trimEnd()).join("\n");
}
