/** What is broken here shows where nodes are gone, or may be, and something is planned meanwhile. */
import { forced, gone, play, successor, type Mutant, type Test } from "./mutant.ts";

const heirs = (title: string): Test => ({ file: "test/core/heirs.test.ts", title });

const noted = (title: string): Test => ({ file: "test/core/noted.test.ts", title });

const missed = (title: string): Test => ({ file: "test/core/missed.test.ts", title });

export const IN_ABSENCES: readonly Mutant[] = [
  {
    name: "spare copy goes in doubt",
    bug: "a ruling leaves out a copy that nobody wants while its owner does not answer",
    file: "src/core/coordinator/turn.ts",
    find: "const spared = this.isInDoubt(said);",
    replace: "const spared = false;",
    killedBy: successor("keeps it also when it is planned elsewhere meanwhile [I15]"),
  },
  {
    name: "backup that nobody ruled on",
    bug: "a write is acknowledged as backed up at a copy that would not be promoted",
    file: "src/core/partition/backup.ts",
    find: 'role.copies.some(({ state }) => state === "complete");',
    replace: 'role.copies.some(({ state }) => state !== "copying");',
    killedBy: successor(
      "is no loss to what a copy has that nobody has ruled complete: that is not backed up [I6]",
    ),
  },
  {
    name: "plan names who is gone",
    bug: "an eviction leaves plans as they were",
    file: "src/core/coordinator/failover.ts",
    find: "may have more than its share.\n  replan(turn);",
    replace: "may have more than its share.",
    killedBy: gone("of an evicted node goes to whoever has less than its share [I8]"),
  },
  {
    name: "joining awaited for ever",
    bug: "a node that was lost while it joined is planned for as if it came",
    file: "src/core/coordinator/plan.ts",
    find: "< INVITATIONS_AWAITED",
    replace: "< INVITATIONS_AWAITED * 1e9",
    killedBy: gone(
      "has its backup at a node that is there, not at one that was lost while it joined [I8]",
    ),
  },
  {
    name: "used id invited for ever",
    bug: "a node that says that its name was used is invited again by that name",
    file: "src/core/coordinator/coordinator.ts",
    find: "inviteAnother(turn, from);",
    replace: "void [inviteAnother, from];",
    killedBy: gone(
      "that was used since the coordinator's copy was made is not used again: the next one is",
    ),
  },
  {
    name: "invited without a rest",
    bug: "a node that never answers is invited as often as one that may",
    file: "src/core/coordinator/pursue.ts",
    find: "turn.pursueVoter(invitation(",
    replace: "turn.pursue(invitation(",
    killedBy: gone("by one that was invited and never answers"),
  },
  {
    name: "heir that does not answer",
    bug: "whoever takes over may have been asked and not have answered, while another is there",
    file: "src/core/coordinator/failover.ts",
    find: "complete.filter((id) => !turn.isSilent(id));",
    replace: "complete;",
    killedBy: successor(
      "goes to a copy that answers, not to one that was lost just after its owner",
    ),
  },
  {
    name: "planned for the last, who is gone",
    bug: "when nobody may own anything any more, what was planned for who is gone stays planned",
    file: "src/core/coordinator/plan.ts",
    find: "target.owner === null ? asItIs(entry) : target;",
    replace: "target.owner === null ? { ...asItIs(entry), owner: wanted } : target;",
    killedBy: forced(
      "who was to leave keeps all, is to give it to nobody, and leaves once there is another [sim seed 130018]",
    ),
  },
  {
    name: "leaving node wanted by a claim",
    bug: "a claim plans to keep a copy at a node that is to leave, and nothing plans otherwise",
    file: "src/core/coordinator/failover.ts",
    find: 'turn.member(copy.nodeId)?.state !== "leaving");',
    replace: 'turn.member(copy.nodeId)?.state !== "dead");',
    killedBy: forced("wants none, and lets it leave [I11, sim seed 1272148]"),
  },
  {
    name: "evicted node waited for",
    bug: "what waited for a node that was evicted is given to nobody who is there",
    file: "src/core/coordinator/failover.ts",
    find: "([, { lost }]) => lost === nodeId || (lost && !turn.member(lost)),",
    replace: "([, { lost }]) => lost === nodeId,",
    killedBy: gone(
      "serve on until somebody comes who takes what they have, backups: 0 [I8, I11, sim seed 160489]",
    ),
  },
  {
    name: "tail taken by no heir",
    bug: "an owner that got its copy from another takes the tail of a former owner for all of it",
    file: "src/core/partition/adopt.ts",
    find: "role.heirOf !== offer.tail)",
    replace: "role.heirOf === undefined)",
    killedBy: heirs(
      "is offered all that its former owner has, not only what came later [I6, sim seed 514409]",
    ),
  },
  {
    name: "empty tail not asked about",
    bug: "a former owner that has nothing newer than its copy had drops all, whatever became of that copy",
    file: "src/core/partition/struck.ts",
    find: "if (rows.length === 0 && after === null && tailOf(turn, partitionId) === null)",
    replace: "if (rows.length === 0 && after === null)",
    killedBy: heirs(
      "is offered all that its former owner has, not only what came later [I6, sim seed 514409]",
    ),
  },
  {
    name: "tail taken by an heir of later",
    bug: "an owner takes the tail of who was owner before for all of it, if it was its copy at a later time",
    file: "src/core/partition/adopt.ts",
    find: "role.heirOf !== offer.tail)",
    replace: "(role.heirOf ?? 0) < offer.tail)",
    killedBy: missed("is offered all of it, however often that one was owner meanwhile [I6]"),
  },
  {
    name: "owner in between taken for none",
    bug: "an owner that is named once more relies on what it knew of its copies, whoever was owner meanwhile",
    file: "src/core/node/hear.ts",
    find: "one.owner === other.owner && one.since === other.since;",
    replace: "one.owner === other.owner;",
    killedBy: missed("gets what that one and its copies acknowledged from the copies [I6]"),
  },
  {
    name: "owner again as if it had always been",
    bug: "a ruling does not say that its owner is a new one",
    file: "src/core/coordinator/turn.ts",
    find: "const since = moved ? epoch : before.ruling.since;",
    replace: "const since = before.ruling.since;",
    killedBy: missed(
      "sends all that it acknowledges as backed up to every copy that is complete [I6]",
    ),
  },
  {
    name: "copy believes an owner that was none",
    bug: "a struck copy drops what its owner had once, although another one has been owner since",
    file: "src/core/node/hear.ts",
    find: "if (isSameOwner(before, ruling))\n    return",
    replace: "if (at === ruling.owner)\n    return",
    killedBy: missed(
      "offers that one all that it has when it is struck: who was owner in between may have lost it [I6]",
    ),
  },
  {
    name: "ruling in between taken for none",
    bug: "an owner that was ready takes any ruling that names its target for the end of its move, whatever it has missed",
    file: "src/core/node/hear.ts",
    find: "const isNext = ruling.since === before.epoch + 1;",
    replace: "const isNext = ruling.since > before.epoch;",
    killedBy: forced(
      "drops all, and is offered all by its owner, which was ready and missed the strike [I6]",
    ),
  },
  {
    name: "heir unknown",
    bug: "who was a copy until it took over does not say so, and is offered every row anew",
    file: "src/core/node/hear.ts",
    find: 'before.role.type === "copy" && { heirOf: before.ruling.since };',
    replace: 'before.role.type === "owner" && {};',
    killedBy: heirs("is offered only what that one had not given it yet"),
  },
  {
    name: "late start taken for heard",
    bug: "an owner says that it heard of a move that it has not begun, as the ruling it came with is an older one",
    file: "src/core/partition/owner.ts",
    find: "isUnderWay(turn.partition(partitionId).role, message) && { migrationId };",
    replace: "{ migrationId };",
    killedBy: play("late-start.txt"),
  },
  {
    name: "closing waits for who is gone",
    bug: "a move does not notice that the copy it waited for was left out",
    file: "src/core/node/hear.ts",
    find: "  becomeReady(turn, partitionId);\n  release",
    replace: "  void becomeReady;\n  release",
    killedBy: {
      file: "test/core/moves/losses.test.ts",
      title: "its owner's backup lost while it closes: it goes on without [I8, sim seed 151424]",
    },
  },
  {
    name: "owner not told who is left out",
    bug: "the owner of what moves hears nothing of a backup that is given up meanwhile",
    file: "src/core/coordinator/failover.ts",
    find: "if (move && !isInvolved) tellAgain(turn, move);",
    replace: "void tellAgain;",
    killedBy: {
      file: "test/core/moves/losses.test.ts",
      title: "its owner's backup lost while it closes: it goes on without [I8, sim seed 151424]",
    },
  },
  {
    name: "spared for who does not answer",
    bug: "a copy goes as there are enough others, though one of these was asked and has not answered",
    file: "src/core/coordinator/wanted.ts",
    find: "id === owner || !isSilent(id);",
    replace: "isSilent(id) || true;",
    killedBy: successor(
      "keeps a copy that nobody wants while another one does not answer [I15, sim seed 151963]",
    ),
  },
  {
    name: "not compared taken for known",
    bug: "who takes over believes that copies have all that it had before it compared them",
    file: "src/core/node/hear.ts",
    find: 'copy?.digest === "" ? undefined : known;',
    replace: "known;",
    killedBy: noted(
      "offers its own heir what it had from the owner before, not only what came later [I6]",
    ),
  },
  {
    name: "collected item awaited for ever",
    bug: "a stream that has nothing to send again waits for what its copy had acknowledged",
    file: "src/core/partition/stream.ts",
    find: "sentSeq: pending.length > 0 ? ackedSeq : pendingSeq,",
    replace: "sentSeq: ackedSeq,",
    killedBy: noted("has all that a repeated write waits for, and is not struck for it [I6, I15]"),
  },
  {
    name: "half a pass remembered",
    bug: "who is owner again goes on with an offer that a successor's rows have outrun",
    file: "src/core/partition/step-down.ts",
    find: "if (passes.delete(partitionId)) setCession(turn, { passes });",
    replace: "void [passes, setCession];",
    killedBy: noted("offers anew what it had begun to offer before it was replaced [I8]"),
  },
  {
    name: "offered again taken for known",
    bug: "an offer that changes nothing is let go though a copy may lack it",
    file: "src/core/partition/adopt.ts",
    find: "spread(turn, partitionId, isSure ? changed : rows);",
    replace: "spread(turn, partitionId, isSure || rows.length > 0 ? changed : rows);",
    killedBy: noted("are not let go while a copy lacks them that has not been compared yet [I6]"),
  },
  {
    name: "dead node told nothing",
    bug: "a node that was given up and is there again hears that all is well, and never joins again",
    file: "src/core/coordinator/members.ts",
    find: "return tell(turn, heartbeat.senderId, call, viewOf(turn));",
    replace: 'return turn.answer(call, { type: "DONE" });',
    killedBy: { world: "a backup is struck", invariants: ["I8"] },
  },
];
