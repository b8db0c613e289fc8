/** Two clusters become one: what `test/core/merge.test.ts` finds. */
import { failover, type Mutant, type Test } from "./mutant.ts";

const merge = (title: string): Test => ({ file: "test/core/merge.test.ts", title });

const late = (title: string): Test => ({ file: "test/core/merge-late.test.ts", title });

const ONLY_THEY =
  "only the winner says that it has everything, and only the loser says it to the winner";

const WRITERS =
  "writes acknowledged meanwhile in either are there, and are read where they were written";

export const IN_MERGES: readonly Mutant[] = [
  {
    name: "last rows not offered",
    bug: "what was written during the last pass is taken for known",
    file: "src/core/partition/pass.ts",
    find: 'turn.setRole(partitionId, { type: "struck", at: turn.me, cut, foreign: true });',
    replace:
      'turn.setRole(partitionId, { type: "struck", at: turn.me, cut: turn.memory.seq, foreign: true });',
    killedBy: merge(WRITERS),
  },
  {
    name: "loser serves on after its offer",
    bug: "operations are carried out while the last rows are under way, and dropped with them",
    file: "src/core/node/sort.ts",
    find: 'else if (role.type !== "owner")',
    replace: 'else if (!["owner", "struck"].includes(role.type))',
    killedBy: { file: "test/core/merge-storm.test.ts", title: "seed 1" },
  },
  {
    name: "ceded before acknowledged",
    bug: "rows are dropped when they have been offered",
    file: "src/core/partition/struck.ts",
    find: "  countRows(turn, partitionId, rows.length);",
    replace:
      "  countRows(turn, partitionId, rows.length);\n  if (after === null && turn.self.ceding) return finish(turn, partitionId);",
    killedBy: merge(WRITERS),
  },
  {
    name: "taken on one disk",
    bug: "what the loser's copies held is the winner's owner's alone",
    file: "src/core/partition/adopt.ts",
    find: 'from === null ? "backup" : "owner"',
    replace: 'from === null ? "owner" : "owner"',
    killedBy: merge("is let go when a backup of the winner has it [I6]"),
  },
  {
    name: "let go with a struck backup",
    bug: "the backup that an offer waited for is struck: what it was to hold is the winner's owner's alone",
    file: "src/core/partition/adopt.ts",
    find: "!canHaveBackup(turn);",
    replace: "true;",
    killedBy: merge("is kept until there is another one [I6]"),
  },
  {
    name: "kept for a backup that nobody can be",
    bug: "an offer to the last node of the winner is never accepted",
    file: "src/core/partition/adopt.ts",
    find: "!canHaveBackup(turn);",
    replace: "false;",
    killedBy: merge("is let go when nobody is left there who could back it up [I8]"),
  },
  {
    name: "read where not all is yet",
    bug: "operations are passed on to the winner while rows are under way to it",
    file: "src/core/node/forward.ts",
    find: "return isWhole ? ownerThere(turn, partitionId) : null;",
    replace: "return isWhole || true ? ownerThere(turn, partitionId) : null;",
    killedBy: merge("reads wait until the last rows are there"),
  },
  {
    name: "both lose",
    bug: "a cluster that asks another one takes it in",
    file: "src/core/coordinator/abroad.ts",
    find: "  if (merge) return makeError(",
    replace: "  if (merge && merge.other !== request.sourceClusterId) return makeError(",
    killedBy: merge(
      "if both come to believe that they lose, each refuses the other, and nothing has happened",
    ),
  },
  {
    name: "late refusal believed",
    bug: "an answer to an earlier request ends the present one",
    file: "src/core/coordinator/merge.ts",
    find: "if (merge.other !== responderClusterId || merge.viewVersion !== sourceViewVersion) return;",
    replace: "if (merge.other !== responderClusterId) return;",
    killedBy: merge("a refusal of an earlier request says nothing of the present one"),
  },
  {
    name: "late request begins anew",
    bug: "a request that arrives when its cluster is over has it taken in once more",
    file: "src/core/coordinator/abroad.ts",
    find: "&& !isTaken(turn, source)) takeIn",
    replace: "&& source.length > 0) takeIn",
    killedBy: late("a request that comes again when all is over begins nothing"),
  },
  {
    name: "anybody has everything",
    bug: "any cluster may say to the loser that the winner has everything",
    file: "src/core/coordinator/cession.ts",
    find: "merge.other === from &&",
    replace: "from.length > 0 &&",
    killedBy: late(ONLY_THEY),
  },
  {
    name: "anybody is over",
    bug: "any cluster may say to the winner that the loser is over",
    file: "src/core/coordinator/abroad.ts",
    find: "else if (message.sourceClusterId === clusterId) onMerged(turn, clusterId, call);",
    replace: "else if (call) onMerged(turn, message.sourceClusterId, call);",
    killedBy: late(ONLY_THEY),
  },
  {
    name: "asks another cluster for ever",
    bug: "a cluster whose request is never answered goes on asking",
    file: "src/core/coordinator/merge.ts",
    find: "merge.askedAtMs + turn.config.migrationTimeoutMs <= turn.now",
    replace: "merge.askedAtMs < 0",
    killedBy: late("gives that up, says so, and may be told to ask again"),
  },
  {
    name: "both win",
    bug: "who has accepted a cluster is not asked by it again once that is the greater one",
    file: "src/core/coordinator/merge.ts",
    find: "const loses = message.takesIn === true ||",
    replace: "const loses =",
    killedBy: late(
      "is taken in by who had accepted it, whoever is greater now, asked at the winner",
    ),
  },
  {
    name: "different partition counts merged",
    bug: "clusters become one whose keys are in different partitions",
    file: "src/core/coordinator/merge.ts",
    find: "  if (partitionCount !== theirs)",
    replace: "  if (partitionCount < 0)",
    killedBy: merge("with different partition counts"),
  },
  {
    name: "rows of anybody",
    bug: "a node takes rows and operations of any other cluster",
    file: "src/core/node/abroad.ts",
    find: "  (turn.state.saved.view.taken ?? []).includes(clusterId);",
    replace: "  clusterId.length > 0;",
    killedBy: merge(
      "a node takes rows and operations of no cluster that its coordinator has not taken in",
    ),
  },
  {
    name: "namesake suspected",
    bug: "a silent node of the winner is taken for the member of that name",
    file: "src/core/node/beat.ts",
    find: "if (to && !abroad && turn.now",
    replace: "if (to && turn.now",
    killedBy: merge("a silent node of the winner makes nobody of that name suspect"),
  },
  {
    name: "drained taken for a backup",
    bug: "rows wait to be backed up by members that are drained, and a merge never ends",
    file: "src/core/partition/backup.ts",
    find: " && !draining.includes(nodeId);",
    replace: " && draining.length < 1_000;",
    killedBy: late("ends: nobody is left there who would be made a backup [I8]"),
  },
  {
    name: "cession forgotten",
    bug: "a restored coordinator does not hear that its members hand everything over to another cluster",
    file: "src/core/coordinator/restored.ts",
    find: "if (isCededTo(turn, into)) askAnew(turn, into);",
    replace: "void askAnew;",
    killedBy: late("hears from its nodes that they hand everything over, and a newer view [I8]"),
  },
  {
    name: "cession no news",
    bug: "that members hand everything over shows nothing if they know no more than that",
    file: "src/core/coordinator/restored.ts",
    find: "  isCededTo(turn, grant.into) ||\n",
    replace: "",
    killedBy: late("hears from its nodes that they hand everything over, and no other news [I8]"),
  },
  {
    name: "asked about without end",
    bug: "what members say of each other in their answers has each asked at once",
    file: "src/core/coordinator/members.ts",
    find: "    if (!isFresh(turn, suspectId)) onComplaint(turn, suspectId, senderId);",
    replace: "    onComplaint(turn, suspectId, senderId);",
    killedBy: failover(
      "and another one do not hear each other: they are asked about it once a heartbeat [I8]",
    ),
  },
];
