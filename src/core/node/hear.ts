/**
 * A ruling, from whoever relays it: the only thing that changes who a node is for a partition. A ruling at
 * or below the highest epoch heard of says nothing.
 */
import { BUCKETS_BYTES, totalOf } from "../../data/digest.ts";
import { MigrationId, Seq, type PartitionId } from "../../data/ids.ts";
import type { Ruling } from "../../data/ruling.ts";
import type { ClusterMessage } from "../../protocol/cluster-messages.ts";
import { becomeReady, beginClosing, keepOn, restDigest, resumeOwner } from "../partition/owner.ts";
import { release } from "../partition/release.ts";
import { resumeOf } from "../partition/stream.ts";
import { stepDown } from "../partition/step-down.ts";
import { close } from "../partition/streams.ts";
import { offer } from "../partition/struck.ts";
import { NO_ROLE, type Owner, type PartitionSaved, type Provenance, type Role } from "./state.ts";
import type { Turn } from "./turn.ts";
import { ownersChanged } from "../subscriptions/follow.ts";
import { forgetInterests } from "../subscriptions/publish.ts";
import { isCeded } from "./winner.ts";

/** Every ruling that a message brings, before what the message itself says is looked at. */
export function hearAll(turn: Turn, message: ClusterMessage): void {
  const changed = new Set<PartitionId>();
  for (const ruling of rulingsIn(message)) {
    const before = turn.partition(ruling.partitionId).ruling;
    if (hear(turn, ruling) && !isSameOwner(before, ruling)) changed.add(ruling.partitionId);
  }
  if (changed.size > 0) ownersChanged(turn, changed);
}

const NO_RULINGS: readonly Ruling[] = [];

function rulingsIn(message: ClusterMessage): readonly Ruling[] {
  switch (message.type) {
    case "PARTITION_TABLE_UPDATE":
      return message.assignments;
    case "OP_FORWARD":
      return message.rulings;
    case "OP_FORWARDED":
    case "INTERESTED":
    case "FETCHED_ROWS":
      return message.notOwned;
    case "JOIN_RESPONSE":
      return message.partitionAssignments ?? [];
    default:
      return "ruling" in message && message.ruling ? [message.ruling] : NO_RULINGS;
  }
}

/** False: it says nothing. */
function hear(turn: Turn, ruling: Ruling): boolean {
  const { partitionId } = ruling;
  const before = turn.partition(partitionId);
  if (ruling.epoch <= before.ruling.epoch) return false;
  take(turn, ruling, before);
  if (turn.partition(partitionId).role.type !== "owner") forgetInterests(turn, partitionId);
  return true;
}

function take(turn: Turn, ruling: Ruling, before: PartitionSaved): void {
  const { partitionId } = ruling;
  const role = roleUnder(turn, ruling, before);
  const goesOn = isSameOwner(before.ruling, ruling);
  if (before.role.type === "owner" && role.type === "owner" && goesOn) {
    turn.setPartition(partitionId, { ruling, role });
    return stayOwner(turn, ruling, before.role);
  }
  if (before.role.type === "owner") {
    turn.setPartition(partitionId, { ruling, role: NO_ROLE });
    stepDown(turn, partitionId);
  }
  turn.setPartition(partitionId, { ruling, role });
  turn.setGoing(partitionId, { offer: null });
  if (role.type !== "copy" || !goesOn) turn.setGoing(partitionId, { inbound: null });
  if (role.type === "owner") resumeOwner(turn, partitionId);
  if (role.type === "struck") offer(turn, partitionId);
}

/** And nobody else in between, however many rulings this node has missed: what is known of each other still holds. */
const isSameOwner = (one: Ruling, other: Ruling): boolean =>
  one.owner === other.owner && one.since === other.since;

function roleUnder(turn: Turn, ruling: Ruling, before: PartitionSaved): Role {
  const { me } = turn;
  const { role } = before;
  // The same owner as before, which has given it to another cluster.
  if (isCeded(turn, ruling.partitionId) && ruling.owner === me) return role;
  if (ruling.owner === me) {
    const stays = role.type === "owner" && isSameOwner(before.ruling, ruling);
    return stays ? keepCopies(role, ruling) : newOwner(turn, ruling, before);
  }
  const listed = ruling.copies.find((copy) => copy.nodeId === me);
  if (role.type === "none") return listed?.state === "complete" ? emptyCopy(turn, ruling) : NO_ROLE;
  const provenance = provenanceOf(turn, ruling, { ...before, role });
  return listed
    ? { type: "copy", state: listed.state, ...provenance }
    : { type: "struck", ...provenance };
}

function keepCopies(role: Owner, ruling: Ruling): Owner {
  const copies = role.copies.flatMap((copy) => {
    const listed = ruling.copies.find((c) => c.nodeId === copy.nodeId);
    if (!listed) return [];
    return [listed.state === "complete" ? { ...copy, state: listed.state } : copy];
  });
  const stays = copies.some((copy) => copy.nodeId === role.move?.to);
  return { ...role, copies, move: stays ? role.move : null };
}

/** Complete without a row: the partition is new. */
const emptyCopy = (turn: Turn, { owner }: Ruling): Role => ({
  type: "copy",
  state: "complete",
  at: owner ?? turn.me,
  cut: turn.memory.seq,
  foreign: false,
});

/**
 * What this node has, the copies have after an orderly move: it got everything from the owner whose copies they are. Else,
 * and what they have that it lacks, a comparison will show, unless nobody can have anything.
 */
function newOwner(turn: Turn, ruling: Ruling, before: PartitionSaved): Owner {
  const resume = { cut: turn.memory.seq, after: "end" } as const;
  const digest = ruling.fresh ? NOTHING : "";
  const copies = ruling.copies
    .filter((copy) => copy.nodeId !== turn.me)
    .map(({ nodeId, state }) => ({
      nodeId,
      state,
      migrationId: MigrationId(`${ruling.epoch}`),
      resume,
      digest,
    }));
  const heir = before.role.type === "copy" && { heirOf: before.ruling.since };
  return { type: "owner", copies, move: null, ...heir };
}

const NOTHING = totalOf(new Uint8Array(BUCKETS_BYTES));

/** Which rows need not be offered to the owner that this ruling names. */
function provenanceOf(
  turn: Turn,
  ruling: Ruling,
  { role, ruling: before }: { role: Exclude<Role, { type: "none" }>; ruling: Ruling },
): Provenance {
  if (role.type === "owner") return provenanceOfOwner(turn, role, ruling, before);
  const { at, cut, foreign, ownedSince } = role;
  if (isSameOwner(before, ruling))
    return { at, cut, foreign, ...(ownedSince !== undefined && { ownedSince }) };
  return { at: ruling.owner ?? turn.me, cut: Seq(0), foreign: true };
}

function provenanceOfOwner(turn: Turn, role: Owner, ruling: Ruling, before: Ruling): Provenance {
  const owner = ruling.owner ?? turn.me;
  const stream = turn.going(ruling.partitionId).streams.get(owner);
  const copy = role.copies.find(({ nodeId }) => nodeId === owner);
  const known = stream ? resumeOf(stream) : copy?.resume;
  // Not compared since this node became owner: nobody knows what it lacks of what was here before.
  const resume = copy?.digest === "" ? undefined : known;
  const cut = resume?.after === "end" ? resume.cut : Seq(0);
  // It was equal when the move closed, and since then nobody was told of a write before it had it. Under any
  // other ruling own writes above the cut may be here alone; and if there was one in between, that may have ended
  // the move and struck the target, which has dropped all and was given the partition by force.
  const { move } = role;
  const isNext = ruling.since === before.epoch + 1;
  const foreign = !isNext || move?.phase !== "ready" || move.to !== owner;
  return { at: owner, cut, foreign, ownedSince: before.since };
}

/** Copies that were left out are no longer waited for; a target that became complete closes the move. */
function stayOwner(turn: Turn, ruling: Ruling, before: Owner): void {
  const { partitionId } = ruling;
  const { role } = turn.partition(partitionId);
  if (role.type !== "owner") return;
  for (const { nodeId } of before.copies) {
    if (role.copies.some((copy) => copy.nodeId === nodeId)) continue;
    close(turn, partitionId, nodeId);
    keepOn(turn, partitionId, nodeId);
  }
  restDigest(turn, partitionId);
  const target = role.copies.find((copy) => copy.nodeId === role.move?.to);
  if (target?.state === "complete") beginClosing(turn, partitionId);
  // The only one that was not equal yet may have been left out.
  becomeReady(turn, partitionId);
  release(turn, partitionId);
  resumeOwner(turn, partitionId);
}
