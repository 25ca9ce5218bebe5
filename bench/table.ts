/** Rows of the one table that `npm run bench` prints: what was measured, the figure with its unit, and how. */
export interface Row {
  readonly what: string;
  readonly figure: string;
  readonly how: string;
}

export function printTable(title: string, rows: readonly Row[]): void {
  const width = (column: "what" | "figure") => Math.max(...rows.map((row) => row[column].length));
  const [whatWidth, figureWidth] = [width("what"), width("figure")];
  console.log(`\n${title}`);
  for (const { what, figure, how } of rows) {
    console.log(`  ${what.padEnd(whatWidth)}  ${figure.padStart(figureWidth)}  ${how}`);
  }
}

export const bytes = (value: number): string => `${Math.round(value).toLocaleString("en-US")} B`;
export const megabytes = (value: number): string => `${(value / 1024 / 1024).toFixed(1)} MiB`;
export const milliseconds = (value: number): string =>
  `${value < 100 ? value.toFixed(1) : Math.round(value)} ms`;
export const percentOfCore = (value: number): string => `${value.toFixed(1)} %`;
