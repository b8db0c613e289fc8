import type { ClientOp } from "../../src/protocol/client-messages.ts";
import type { World } from "./world.ts";

/** What a run did; a test of many runs asks for enough of each. */
export const NO_COUNTS = {
  messages: 0,
  crashes: 0,
  /** Instances of the coordinator that went on after they had been replaced. */
  ghosts: 0,
  /** What came to them, and those whose commit failed. */
  "ghosts told": 0,
  "ghosts that found out": 0,
  /** Cuts that divided everybody in two. */
  splits: 0,
  /** Members that were given up, and partitions whose owner was. */
  deaths: 0,
  failovers: 0,
  terms: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  retried: 0,
  /** Deltas of the map that a client could not use. */
  gaps: 0,
  /** Events of several frames. */
  groups: 0,
  /** Clients whose last word on the map was a delta. */
  endedByDelta: 0,
  unstamped: 0,
  /** Requests of several of them. */
  "unstamped together": 0,
  "writes acked by backups": 0,
  /** Where an owner took the place of a lost one. */
  "backed up rows judged at a failover": 0,
  "backed up rows given up by force": 0,
  /** Acknowledged, and destroyed with the only node that had them. */
  "writes lost with a node": 0,
  "nodes destroyed": 0,
  /** Of these, by an operator's force; and partitions that nobody owned, given to a node. */
  evicted: 0,
  claimed: 0,
  "claimed from an owner": 0,
  "backups completed": 0,
  "copies struck for silence": 0,
  "nodes drained": 0,
  "rows collected by owners": 0,
  "rows collected by copies": 0,
  "absences that ended": 0,
  "rows lost behind a backup": 0,
  /** Partitions in which the repair found a difference. */
  "partitions repaired": 0,
  "set and counter ops": 0,
  scanned: 0,
  offered: 0,
  "writes that expire": 0,
  "writes of many bytes": 0,
  "subscribers that were too slow": 0,
  "changes told to subscribers": 0,
  "rows of sets and counters told to subscribers": 0,
  "commands sent": 0,
  "commands answered": 0,
  "entries of journals": 0,
  "questions answered": 0,
  "slow decisions": 0,
  /** Where an operator has given their partition to who need not have all of it. */
  "actors given up by force": 0,
};

/** As they arrive. */
export function countOps(world: World, ops: readonly ClientOp[]): void {
  const { checkers, counts, writesPerPhase } = world;
  for (const op of ops) {
    if (op.type) continue; // of a set or a counter, which is judged by itself
    checkers.sent(op);
    if (op.expiresAt !== null) counts["writes that expire"]++;
    if ((op.value?.length ?? 0) > 100) counts["writes of many bytes"]++;
    const phase = checkers.phaseOf(op.key);
    writesPerPhase.set(phase, (writesPerPhase.get(phase) ?? 0) + 1);
  }
}
