/** What became of writes, and how long writers waited for acknowledgements. */
import { HELD_MS } from "./settings.ts";

export class Tally {
  acked = 0;
  deletes = 0;
  /** Acknowledged later than `HELD_MS` after being first sent. */
  held = 0;
  redirected = 0;
  timedOut = 0;
  /** By error code. */
  readonly refused = new Map<string, number>();
  /** Writes sent again, by the close code of the socket on which they were under way. */
  readonly cutOff = new Map<number, number>();
  /** Per writer: from one ack to the next. */
  readonly gapsMs: number[] = [];

  ackedAfter(ms: number, deletes: boolean): void {
    this.acked++;
    if (deletes) this.deletes++;
    if (ms > HELD_MS) this.held++;
  }

  refusedWith(code: string): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  cutOffBy(code: number, writes: number): void {
    this.cutOff.set(code, (this.cutOff.get(code) ?? 0) + writes);
  }

  /** The longest since `gapsMs` had that length. */
  longestGapMs(since = 0): number {
    let longest = 0;
    for (let i = since; i < this.gapsMs.length; i++)
      longest = Math.max(longest, this.gapsMs[i] ?? 0);
    return longest;
  }

  /** `share` 0.5: the median. */
  gapMs(share: number): number {
    const sorted = this.gapsMs.toSorted((a, b) => a - b);
    return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  }
}

export const sum = (counts: Iterable<number>): number => {
  let total = 0;
  for (const count of counts) total += count;
  return total;
};
