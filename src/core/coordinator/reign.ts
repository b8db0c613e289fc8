/**
 * What a reign rests on: a term of its own, saved before it is spoken, and a majority of the voters that has
 * answered in it lately. What must wait for them is parked in memory; what is only read never waits.
 */
import type { NodeId, Term } from "../../data/ids.ts";
import type { ClusterMessage } from "../../protocol/cluster-messages.ts";
import { makeError } from "../../protocol/errors.ts";
import { hasHeardAll, hasQuorum, poll, rules, voters } from "./quorum.ts";
import { onGrant, onNews } from "./restored.ts";
import type { CoordinatorMessage, CoordinatorState, Parked } from "./state.ts";
import type { CoordinatorTurn } from "./turn.ts";

/** Of either kind: beyond it whoever asks is refused at once. */
const PARKED_MAX = 256;

/** A node's envelope says which term it has saved: our own is an answer, a higher one ends this reign. */
export function hearTerm(
  turn: CoordinatorTurn,
  { from, term, message, call }: CoordinatorMessage,
): void {
  if (from === "front" || from === "coordinator") return;
  if (message.type === "GRANT") onGrant(turn, message);
  else onNews(turn, from, message);
  if (term > turn.cluster.term) return stepDown(turn, term);
  // What is no answer is said by who has something to do; and who is back has missed something.
  if (call !== null || turn.isSilent(from)) turn.hurry();
  if (!voters(turn.state).some(({ nodeId }) => nodeId === from)) return;
  // Whoever speaks can be asked.
  if (!hasGranted(turn, from, term)) return askSoon(turn, from);
  // Who answers at once was there all the time, and only had not been asked.
  const wasAway = call !== null || (turn.memory.retries.get(about(from))?.attempt ?? 0) > 0;
  onAnswered(turn, from, wasAway);
}

/** That it has saved our term says nothing of what else it has heard. */
const hasGranted = ({ cluster, memory }: CoordinatorTurn, from: NodeId, term: Term): boolean =>
  term >= cluster.term && memory.granted.has(from);

function onAnswered(turn: CoordinatorTurn, from: NodeId, wasAway: boolean): void {
  const { retries, answered } = turn.memory;
  const lacked = !hasQuorum(turn.state, turn.now);
  turn.setMemory({ answered: new Map(answered).set(from, turn.now) });
  turn.settled(about(from));
  if (!lacked || !wasAway || hasQuorum(turn.state, turn.now)) return;
  // What kept this one away may be over for the others, too: their answers must not come one by one.
  for (const nodeId of poll(turn.state, turn.now).silent)
    if (retries.has(about(nodeId))) askSoon(turn, nodeId);
}

/** A clock that was set back does not tell any more how old an answer is: everybody is asked anew. */
export function doubtAnswers(turn: CoordinatorTurn, now: number): void {
  if (now < turn.memory.now) turn.setMemory({ answered: new Map() });
}

function stepDown(turn: CoordinatorTurn, termHeard: Term): void {
  const nobody = { answered: new Map(), granted: new Set<NodeId>() };
  turn.setMemory({ leading: false, termHeard, ...nobody });
}

const about = (nodeId: string): string => `poll ${nodeId}`;

/** Not at once if it was asked just now. */
function askSoon(turn: CoordinatorTurn, nodeId: NodeId): void {
  if ((turn.memory.retries.get(about(nodeId))?.attempt ?? 0) > 0) turn.settled(about(nodeId));
}

/** What an operator takes upon himself, whoever has answered, once it has been heard who can be heard. */
export const isForced = (message: ClusterMessage): boolean =>
  message.type === "CLAIM_PARTITION" ||
  (message.type === "LEAVE_REQUEST" && message.force === true);

/**
 * The storage may be a copy of earlier, of which nobody has told yet: so all are asked before, and there is time to answer.
 * Where it is one, whoever is silent must be given up by name before anything is ruled.
 */
export function mayForce({ state, now }: CoordinatorTurn, { message, since }: Parked): boolean {
  const unheard = state.saved.cluster?.unheard ?? [];
  if (hasHeardAll(state)) return true;
  if (since + state.config.maxNoHeartbeatMs > now) return false;
  return message.message.type === "LEAVE_REQUEST" || unheard.length === 0;
}

/** What the front asks or says by itself is none. */
const isOrder = ({ from, message }: CoordinatorMessage): boolean =>
  from === "front" && !/^(FETCH|ASK|EXPLICIT)_/.test(message.type);

/** An operator's orders are carried out one after the other. By force he has what takes no majority overtake the rest. */
export const isBehind = (waiting: readonly Parked[], order: CoordinatorMessage): boolean =>
  isOrder(order) && !isForced(order.message) && waiting.some((other) => isOrder(other.message));

export function park(turn: CoordinatorTurn, message: CoordinatorMessage): void {
  const { parked } = turn.memory;
  // What takes no majority is not refused because much else waits for one.
  const forced = isForced(message.message);
  const alike = parked.filter((one) => isForced(one.message.message) === forced);
  if (alike.length >= PARKED_MAX) return refuse(turn, { message, since: turn.now });
  // It will not wait for as long as nobody is asked while nothing happens.
  for (const nodeId of poll(turn.state, turn.now).silent) askSoon(turn, nodeId);
  turn.setMemory({ parked: [...parked, { message, since: turn.now }] });
}

function refuse(turn: CoordinatorTurn, { message }: Parked): void {
  const { answered, needed } = poll(turn.state, turn.now);
  const error = makeError("NO_QUORUM", { answered, needed });
  turn.answer(message.call, { type: "ERROR", error });
}

/** In the order in which they came, as soon as there is a quorum; or refused when they have waited long. */
export function unpark(turn: CoordinatorTurn, handle: (one: Parked) => boolean): void {
  const { parked } = turn.memory;
  if (parked.length === 0) return;
  const may = rules(turn.state, turn.now);
  const rest: Parked[] = [];
  for (const one of parked) {
    const isNext = !isBehind(rest, one.message) && (may || isForced(one.message.message));
    if (isNext && handle(one)) continue;
    if (one.since + turn.config.maxNoHeartbeatMs <= turn.now) refuse(turn, one);
    else rest.push(one);
  }
  turn.setMemory({ parked: rest });
}

/** Somebody has been asked, and what depends on it is not over. */
export const isPolling = ({ memory }: CoordinatorTurn): boolean =>
  [...memory.retries.keys()].some((key) => key.startsWith(about("")));

/** While there is something to decide and nobody to vouch for it. */
export function pursueQuorum(turn: CoordinatorTurn): void {
  turn.lead();
  const { term, unheard } = turn.cluster;
  const { silent } = poll(turn.state, turn.now);
  const asked = new Set([...silent, ...(unheard ?? [])]);
  const campaign = { type: "CAMPAIGN", term, viewVersion: turn.view.version } as const;
  for (const nodeId of asked) {
    const granted = turn.memory.granted.has(nodeId) && !unheard?.includes(nodeId);
    turn.pursueVoter(about(nodeId), nodeId, granted ? { type: "PROBE" } : campaign);
  }
}

/** When the first of those that wait is refused. */
export const parkedUntil = ({ memory, config }: CoordinatorState): number =>
  (memory.parked[0]?.since ?? Infinity) + config.maxNoHeartbeatMs;
