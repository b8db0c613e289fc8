/**
 * An owner whose cluster goes over into another offers all it has while it goes on serving: pass by pass, each only
 * what has changed since the one before. When a pass was short it serves no more, offers the last few rows as a
 * struck node does, and drops the table. From then on operations are the winner's.
 */
import { Seq, type PartitionId } from "../../data/ids.ts";
import { setCession } from "../node/winner.ts";
import type { Pass } from "../node/state.ts";
import type { Turn } from "../node/turn.ts";
import { stepDown } from "./step-down.ts";

/** After these many it stops serving, however much has changed meanwhile. */
const PASSES_MAX = 4;

export const passOf = (turn: Turn, partitionId: PartitionId): Pass | undefined =>
  turn.memory.cession.passes.get(partitionId);

function setPass(turn: Turn, partitionId: PartitionId, pass: Pass | null): void {
  const passes = new Map(turn.memory.cession.passes);
  if (pass) passes.set(partitionId, pass);
  else passes.delete(partitionId);
  setCession(turn, { passes });
}

export function firstPass(turn: Turn, partitionId: PartitionId): void {
  const known = { cut: Seq(0), after: null };
  setPass(turn, partitionId, { n: 1, cut: turn.memory.seq, known, rows: 0 });
}

export function countRows(turn: Turn, partitionId: PartitionId, rows: number): void {
  const pass = passOf(turn, partitionId);
  if (pass) setPass(turn, partitionId, { ...pass, rows: pass.rows + rows });
}

/** The winner has every row of the last pass. */
export function endPass(turn: Turn, partitionId: PartitionId, { n, cut, rows }: Pass): void {
  if (rows > turn.config.chunkRowsMax && n < PASSES_MAX) {
    const known = { cut, after: "end" } as const;
    return setPass(turn, partitionId, { n: n + 1, cut: turn.memory.seq, known, rows: 0 });
  }
  setPass(turn, partitionId, null);
  // Above the cut its rows are here alone.
  turn.setRole(partitionId, { type: "struck", at: turn.me, cut, foreign: true });
  turn.do({ type: "forget-digest", partitionId });
  stepDown(turn, partitionId);
}
