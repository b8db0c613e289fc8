/** Numbers and tables for people. */
export const whole = (value: number): string => Math.round(value).toLocaleString("en");
export const one = (value: number): string => value.toFixed(1);
export const two = (value: number): string => value.toFixed(2);

/** The first row names the columns. */
export function print(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  "),
    );
}
