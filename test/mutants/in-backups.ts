/** What tests and plays of backups find. */
import { backup, gone, play, type Mutant } from "./mutant.ts";

export const IN_BACKUPS: readonly Mutant[] = [
  {
    name: "copies unheard for ever",
    bug: "a move that closes waits for a copy that its owner does not hear, as long as nobody writes",
    file: "src/core/partition/silence.ts",
    find: "return silentSince + maxNoHeartbeatMs;",
    replace: "return silentSince + Infinity * maxNoHeartbeatMs;",
    killedBy: {
      file: "test/core/silent-copies.test.ts",
      title: "goes on without a backup that its owner does not hear [I8]",
    },
  },
  {
    name: "repeated write taken for sent",
    bug: "a move closes, and what changed nothing is acknowledged though only a scan is to bring it to the target",
    file: "src/core/partition/spread.ts",
    find: 'role.type !== "owner" || !isForAll(role, ack)',
    replace: 'role.type !== "owner" || ack === "owner"',
    killedBy: {
      file: "test/core/moves/repeated.test.ts",
      title:
        "is acknowledged by an owner that is ready to go only when its successor has it [I5, sim seed 1000306]",
    },
  },
  {
    name: "backed up by nobody",
    bug: "a write whose last copy was struck while it waited is acknowledged all the same",
    file: "src/core/partition/release.ts",
    find: 'const lost = ack === "backup" && !hasBackup(turn, partitionId);',
    replace: 'const lost = ack !== "backup" && !hasBackup(turn, partitionId);',
    killedBy: play("backup-silent.txt"),
  },
  {
    name: "every end taken for a clean one",
    bug: "an owner that lost its memory believes that its copies have everything",
    file: "src/core/partition/catch-up.ts",
    find: "reserved.seq === drained;",
    replace: "reserved.seq >= drained;",
    killedBy: play("backup-after-unclean-end.txt"),
  },
  {
    name: "counters kept over the silence",
    bug: "the first change after a silence does not say that there is one",
    file: "src/core/partition/catch-up.ts",
    find: "turn.setSelf({ drained: seq, reserved: { ...turn.self.reserved, seq } });",
    replace: "turn.setSelf({ drained: turn.self.reserved.seq });",
    killedBy: play("backup-after-clean-end.txt"),
  },
  {
    name: "promotion waits for a copy",
    bug: "a move to a node that has everything waits for it to become complete",
    file: "src/core/partition/owner.ts",
    find: 'if (copy.state === "complete") beginClosing(turn, partitionId);',
    replace: "",
    killedBy: play("backup-promoted.txt"),
  },
  {
    name: "unwanted copy stays",
    bug: "a copy that the plan does not want any more is never struck",
    file: "src/core/coordinator/wanted.ts",
    find: "if (!spare) return ruling;",
    replace: "if (spare || !spare) return ruling;",
    killedBy: play("backup-made.txt"),
  },
  {
    name: "new owner without a plan",
    bug: "nobody looks whether a partition has a plan for the backups that it should have",
    file: "src/core/coordinator/coordinator.ts",
    find: "  planBackups(turn);\n",
    replace: "",
    killedBy: gone(
      "has its backup at a node that is there, not at one that was lost while it joined [I8]",
    ),
  },
  {
    name: "copy taken for a move",
    bug: "a partition that is being backed up is said to be migrating",
    file: "src/core/coordinator/partition-state.ts",
    find: 'const goes = move?.purpose === "move" && move.phase === "replicating";',
    replace: 'const goes = move?.phase === "replicating";',
    killedBy: backup("is active at its owner and unassigned elsewhere while the backup is copied"),
  },
];
