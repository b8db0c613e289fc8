/** At `p` in 0..1 of the sorted values; 0 of none. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
