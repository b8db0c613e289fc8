/** The figures as tables for people. */
import type { BesideFigures } from "./beside.ts";
import type { ChurnFigures } from "./churn.ts";
import type { FailoverFigures } from "./failover.ts";
import type { JoinFigures } from "./join.ts";
import type { CallFigures } from "./limits.ts";
import type { MoveFigures } from "./moves.ts";
import type { Rate } from "./rates.ts";
import { one, print, two, whole } from "./table.ts";

export function showRates(rates: readonly Rate[]): void {
  const find = (what: Rate["what"], frame: number, keys: Rate["keys"]): number =>
    rates.find((r) => r.what === what && r.frame === frame && r.keys === keys)?.opsPerSecond ?? NaN;
  const kinds = [...new Set(rates.map(({ what, frame }) => `${what} ${frame}`))];
  console.log("\nops/s over one socket, 32 frames under way; ratios in brackets");
  print([
    ["", "local keys", "bare", "(ratio)", "bare grouped", "(ratio)", "spread keys", "(of local)"],
    ...kinds.map((kind) => {
      const [what, frame] = kind.split(" ");
      const rate = (keys: Rate["keys"]): number =>
        find(what === "gets" ? "gets" : "puts", Number(frame), keys);
      const local = rate("local");
      const grouped = rate("bare grouped");
      return [
        `${what}, frames of ${frame}`,
        whole(local),
        whole(rate("bare")),
        two(local / rate("bare")),
        whole(grouped),
        two(local / grouped),
        whole(rate("spread")),
        two(rate("spread") / local),
      ];
    }),
  ]);
  console.log("\nputs of local keys where each partition has one backup, ops/s");
  const puts = rates.filter(({ keys }) => keys === "backed up");
  print([
    ["", "backed up", "(of local)"],
    ...puts.map(({ frame, opsPerSecond }) => [
      `puts, frames of ${frame}`,
      whole(opsPerSecond),
      two(opsPerSecond / find("puts", frame, "local")),
    ]),
  ]);
}

export function showBeside({ without, during }: BesideFigures): void {
  console.log("\nputs of frames of 16 at a node that gives a partition away, ops/s");
  print([
    ["without", "during", "(ratio)"],
    [whole(without), whole(during), two(during / without)],
  ]);
}

export function showMoves(moves: readonly MoveFigures[]): void {
  console.log("\nmoving one partition beside a writer of its keys; acks in ms, before → during");
  print([
    ["", "writer", "rows/s", "MB/s", "longest gap", "p50", "p99", "ops/s"],
    ...moves.map(({ load, writer, rowsPerSecond, megabytesPerSecond, before, during }) => [
      load,
      writer,
      whole(rowsPerSecond),
      one(megabytesPerSecond),
      `${one(before.longestGap)} → ${one(during.longestGap)}`,
      `${one(before.p50)} → ${one(during.p50)}`,
      `${one(before.p99)} → ${one(during.p99)}`,
      `${whole(before.opsPerSecond)} → ${whole(during.opsPerSecond)}`,
    ]),
  ]);
}

export function showJoin({ rows, rowsMoved, seconds, rowsPerSecond }: JoinFigures): void {
  console.log("\na fourth node joins three");
  print([
    ["rows", "rows moved", "seconds", "rows/s"],
    [whole(rows), whole(rowsMoved), one(seconds), whole(rowsPerSecond)],
  ]);
}

export function showChurn(figures: ChurnFigures): void {
  const { rounds, moves, failed, seconds, acked, longestGapMs } = figures;
  const { entries, deleted, refused, unanswered, lost, resurrected, unread } = figures;
  console.log(`\n${2 * rounds} joins and leaves, one after the other, in ${one(seconds)} s`);
  print([
    ["moves", "given up", "acknowledged", "refused", "unanswered", "longest gap ms"],
    [moves, failed, acked, refused.length, unanswered, longestGapMs].map(whole),
  ]);
  console.log("read back by a second process");
  print([
    ["entries", "deleted", "lost", "resurrected", "unread"],
    [entries, deleted, lost, resurrected, unread].map(whole),
  ]);
}

export function showFailover(figures: FailoverFigures): void {
  const { kills, partitions, p50, p99, acked, lostAtBackup, lostAtOwner } = figures;
  console.log(`\n${kills} nodes killed, one after the other, of ${partitions} partitions`);
  print([
    ["ms since the kill until", "suspect", "dead", "ruled", "writable"],
    ...[["p50", p50] as const, ["p99", p99] as const].map(([name, at]) => [
      name,
      ...[at.suspect, at.dead, at.ruled, at.writable].map(whole),
    ]),
  ]);
  console.log("read back by a second process");
  print([
    ["acknowledged", "lost of backup", "lost of owner"],
    [acked, lostAtBackup, lostAtOwner].map(whole),
  ]);
}

export function showCalls(calls: readonly CallFigures[], planningMs: number): void {
  console.log("\nobject to object, one call at a time");
  print([
    ["bytes", "calls/s", "MB/s"],
    ...calls.map(({ bytes, callsPerSecond }) => [
      whole(bytes),
      whole(callsPerSecond),
      one((bytes * callsPerSecond) / 1e6),
    ]),
  ]);
  console.log(`\nplanning 1,000 members × 16,384 partitions: ${one(planningMs)} ms`);
}

export function showProfile(shares: readonly { name: string; share: number }[]): void {
  console.log("\nCPU of the grid, in the function itself");
  print(shares.slice(0, 30).map(({ name, share }) => [name, `${one(share * 100)} %`]));
}
