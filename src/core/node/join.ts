/** Becoming a member, and hearing what members hear. */
import { Incarnation, Version, type Term } from "../../data/ids.ts";
import type {
  Invite,
  JoinResponse,
  MembersUpdate,
  PartitionTableUpdate,
} from "../../protocol/cluster-messages.ts";
import { makeError } from "../../protocol/errors.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import { retryAfter } from "../partition/streams.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { heartbeat } from "./beat.ts";
import { noteJoined, noteRulings, noteView } from "./map-push.ts";
import type { Turn } from "./turn.ts";

/** Each join is a new incarnation, so that a node that returns never continues an old history. */
export function onInvite(
  turn: Turn,
  invite: Invite,
  { term, call }: { readonly term: Term; readonly call: CallId | null },
): void {
  const { nodeId } = invite;
  if (turn.self.membership === "removed")
    return turn.answer(call, { type: "ERROR", error: makeError("NODE_ID_USED", { nodeId }) });
  if (turn.self.membership === "stranger") {
    turn.setSelf({
      clusterId: invite.clusterId,
      nodeId,
      membership: "joining",
      // An older coordinator, which has not heard of the invitation, would turn it away.
      term,
      incarnation: Incarnation(turn.self.incarnation + 1),
    });
  }
  turn.answer(call, turn.self.membership === "member" ? heartbeat(turn) : { type: "DONE" });
  if (turn.self.membership === "joining") askToJoin(turn, 0);
}

export function askToJoin(turn: Turn, attempt: number): void {
  const { clusterId, nodeId, incarnation } = turn.self;
  turn.setMemory({ joinRetry: retryAfter(turn, attempt) });
  turn.send("coordinator", {
    type: "JOIN_REQUEST",
    nodeId,
    host: turn.memory.host,
    clientPort: 0,
    clusterPort: 0,
    clusterId,
    protocolVersion: PROTOCOL_VERSION,
    incarnation,
  });
}

/**
 * It is asked as a member that it is not yet: whoever speaks can be asked, and what lost the requests may be over.
 * Not at once if it was asked just now.
 */
export function askToJoinSoon(turn: Turn): void {
  if (turn.self.membership === "joining" && (turn.memory.joinRetry?.attempt ?? 0) > 0)
    askToJoin(turn, 0);
}

export function onJoinResponse(turn: Turn, response: JoinResponse): void {
  if (turn.self.membership !== "joining") return;
  if (!response.accepted) {
    if (response.rejectReason === "NOT_LEADING") return; // asked again when the retry is due
    turn.setSelf({ membership: "removed" });
    return turn.setMemory({ joinRetry: null });
  }
  const { membersView: view, partitionAssignments: assignments } = response;
  if (!view || !assignments) return;
  // The answer to an earlier join comes late: this one is asked for again.
  if (!listsNow(turn, view)) return;
  turn.setMemory({ joinRetry: null });
  turn.setSelf({
    membership: "member",
    partitionCount: response.partitionCount ?? turn.self.partitionCount,
    digestKey: response.digestKey ?? turn.self.digestKey,
    tableVersion: response.tableVersion ?? Version(0),
  });
  setView(turn, view);
  noteJoined(turn);
  turn.send("coordinator", heartbeat(turn));
}

const listsNow = (turn: Turn, { members }: MembersUpdate["view"]): boolean =>
  members.some(
    ({ nodeId, incarnation }) => nodeId === turn.me && incarnation === turn.self.incarnation,
  );

/** Only a newer view replaces the known one: an equal version with other contents is a stale writer's. */
export function onMembersUpdate(turn: Turn, { view }: MembersUpdate, call: CallId | null): void {
  if (isDeadIn(turn, view)) rejoin(turn);
  else if (view.version > turn.state.saved.view.version) setView(turn, view);
  turn.answer(call, heartbeat(turn));
}

/** Only of the present incarnation: the one before has been given up, too. */
const isDeadIn = (turn: Turn, { members }: MembersUpdate["view"]): boolean =>
  turn.self.membership === "member" &&
  members.some(
    ({ nodeId, state, incarnation }) =>
      nodeId === turn.me && state === "dead" && incarnation === turn.self.incarnation,
  );

/** What others have of it may belong to somebody else by now: it begins anew, and offers what it holds. */
function rejoin(turn: Turn): void {
  const incarnation = Incarnation(turn.self.incarnation + 1);
  turn.setSelf({ membership: "joining", incarnation });
  turn.do({ type: "close-sockets", reason: "this node was given up, and joins again" });
  askToJoin(turn, 0);
}

function setView(turn: Turn, view: MembersUpdate["view"]): void {
  noteView(turn, turn.state.saved.view, view);
  turn.state = { ...turn.state, saved: { ...turn.state.saved, view } };
  const listed = view.members.some((member) => member.nodeId === turn.me);
  if (listed || turn.self.membership === "removed") return;
  turn.setMemory({ joinRetry: null });
  turn.setSelf({ membership: "removed" });
  turn.do({ type: "close-sockets", reason: "this node has left the cluster" });
}

/** An update from above what is known leaves a gap: the answer shows it, and more is sent. */
export function onTableUpdate(turn: Turn, update: PartitionTableUpdate, call: CallId | null): void {
  const { tableVersion } = turn.self;
  if (update.baseVersion <= tableVersion && update.version > tableVersion) {
    const { version, assignments } = update;
    turn.setSelf({ tableVersion: version });
    const ids = assignments.map(({ partitionId }) => partitionId);
    noteRulings(turn, version, ids);
  }
  turn.answer(call, heartbeat(turn));
}
