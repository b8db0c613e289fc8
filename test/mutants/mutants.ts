/**
 * Deliberate bugs: each is a patch to one production file, and the named checker must find it. A patch
 * that does not fit any more fails its test, so the list cannot rot.
 */
import type { Invariant } from "../sim/checkers.ts";

export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly killedBy: readonly Invariant[];
  readonly seeds: number;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "no epoch check: any ruling is believed, however old",
    file: "src/core/node/hear.ts",
    find: "if (ruling.epoch <= before.ruling.epoch) return;",
    replace: "",
    killedBy: ["I4", "I2"],
    seeds: 200,
  },
  {
    name: "overwrite instead of merge: the last row to arrive wins",
    file: "src/core/rows/merge.ts",
    find: "const winner = standing ? mergeRows(standing, row) : row;",
    replace: "const winner = row;",
    killedBy: ["I6", "I14"],
    seeds: 200,
  },
  {
    name: "ack before the copies have it, while the move closes",
    file: "src/core/partition/spread.ts",
    find: "if (!isClosing(role)) return false;",
    replace: 'if (role.type === "owner") return false;',
    killedBy: ["I5", "I14"],
    seeds: 400,
  },
  {
    name: "source kept active: it serves on after the ruling",
    file: "src/core/node/hear.ts",
    find: "if (ruling.owner === me)",
    replace: 'if (ruling.owner === me || role.type === "owner")',
    killedBy: ["I2", "I14", "I7"],
    seeds: 200,
  },
  {
    name: "no check of epoch and copies at READY",
    file: "src/core/coordinator/moves.ts",
    find: 'if (current && complete && move?.migrationId === migrationId && move.phase === "replicating") {',
    replace: 'if (move?.phase === "replicating") {',
    killedBy: ["I5", "I2", "I14"],
    seeds: 2_000,
  },
  {
    name: "epoch used twice: a ruling does not count it up",
    file: "src/core/coordinator/turn.ts",
    find: "const epoch = Epoch(this.mint(before.ruling.epoch));",
    replace: "const epoch = Epoch(Math.max(before.ruling.epoch, 1));",
    killedBy: ["I2", "I8", "I7"],
    seeds: 200,
  },
  {
    name: "rollback forgets its marker: the target of a cancelled move is never struck",
    file: "src/core/coordinator/pursue.ts",
    find: "for (const nodeId of strays(entry)) {",
    replace: "for (const nodeId of strays(entry).slice(1)) {",
    killedBy: ["I7", "I8"],
    seeds: 200,
  },
  {
    name: "ready without comparing: the digest marker is skipped when the move closes",
    file: "src/core/partition/owner.ts",
    find: "setStream(turn, partitionId, compareAgain(stream));",
    replace: "becomeReady(turn, partitionId); ask(turn, partitionId);",
    killedBy: ["I5", "I14"],
    seeds: 6_000,
  },
  {
    name: "active before it has view and table",
    file: "src/core/coordinator/members.ts",
    find: "const { nodeId, host, incarnation } = request;",
    replace:
      'const { nodeId, host, incarnation } = request;\n  turn.setMember(nodeId, { state: "active" });',
    killedBy: ["I10", "I8"],
    seeds: 100,
  },
  {
    name: "table version given out twice",
    file: "src/core/coordinator/turn.ts",
    find: "const version = Version(this.mint(this.cluster.tableVersion));",
    replace: "const version = this.cluster.tableVersion;",
    killedBy: ["I12"],
    seeds: 200,
  },
  {
    name: "ack before durable: effects are performed before the save",
    file: "src/core/machine/drive.ts",
    find: "else outgoing.push(effect);",
    replace: "else host.perform(effect);",
    killedBy: ["I6", "I14", "I2", "I4", "I10"],
    seeds: 200,
  },
  {
    name: "an ack counts for one item more than it says",
    file: "src/core/partition/stream.ts",
    find: "stream.unacked.filter((item) => item.n < ack.next)",
    replace: "stream.unacked.filter((item) => item.n <= ack.next)",
    killedBy: ["I5", "I14"],
    seeds: 1_000,
  },
];
