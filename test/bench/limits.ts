/** What nothing here can be faster than, and what takes no network at all. */
import { computeAssignment, type Placement } from "../../src/core/placement/assign.ts";
import { NodeId } from "../../src/data/ids.ts";
import type { Local } from "../../src/cli/local.ts";
import { median } from "./stats.ts";
import { json } from "./worlds.ts";

const MEMBERS = 1_000;
const PARTITIONS = 16_384;

export interface CallFigures {
  readonly bytes: number;
  readonly callsPerSecond: number;
}

/** One object calling another, one call at a time. */
export async function calls(bare: Local, rounds: number): Promise<CallFigures[]> {
  const figures: CallFigures[] = [];
  for (const [bytes, count] of [
    [64, 2_000],
    [128 * 1_024, 500],
    [1_024 * 1_024, 100],
  ] as const) {
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { ms } = await json<{ ms: number }>(
        new URL(`/rpc?count=${count}&bytes=${bytes}`, bare.url),
      );
      rates.push((count * 1_000) / Math.max(1, ms));
    }
    figures.push({ bytes, callsPerSecond: median(rates) });
  }
  return figures;
}

/** ms to plan, the slowest of: the first placement, one member more, and twice as many. With a backup for each partition. */
export function planning(rounds: number): number {
  const members = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      nodeId: NodeId(`n${i}`),
      weight: 1,
      region: ["weur", "enam", "apac"][i % 3] ?? "",
    }));
  const config = { backupCount: 1 };
  const none = Array.from({ length: PARTITIONS }, (): Placement => ({ owner: null, backups: [] }));
  const after = (count: number): readonly Placement[] =>
    computeAssignment(members(count), none, config);
  const slowest = [none, after(MEMBERS - 1), after(MEMBERS / 2)].map((current) => {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const began = performance.now();
      computeAssignment(members(MEMBERS), current, config);
      times.push(performance.now() - began);
    }
    return median(times);
  });
  return Math.max(...slowest);
}
