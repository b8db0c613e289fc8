/** What is on its way in a model. */
import { NO_FLOW } from "../../src/core/node/flow.ts";
import type { NodeEvent } from "../../src/core/node/events.ts";
import { ClusterId, Seq, Term, Version } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import type { ClusterEvent, Moment } from "../../src/core/machine/cluster-event.ts";
import type { Asked } from "./world.ts";

const CLUSTER = ClusterId("model");

/** 0 is the coordinator, 1 the node `n1`, and so on. */
export type Place = number;

/** Whoever asks from outside; of what it is told only counts if what it asked for was done. */
export const OUTSIDE: Place = 999;
/** The front's call for what has this number among all that is asked. */
const callOf = (index: number): number => OUTSIDE + 1 + index;
export const askedBy = (call: number): number => call - OUTSIDE - 1;

export interface Letter {
  readonly from: Sender;
  readonly to: Place;
  readonly message: ClusterMessage;
  /** Who asked, if it is a question: an answer says by itself what it answers. */
  readonly call: Place | null;
  readonly term: Term;
}

export const nameOf = (place: Place): string => (place === 0 ? "coordinator" : `n${place}`);

export const placeOf = (name: Sender): Place =>
  name === "coordinator" ? 0 : name === "front" ? OUTSIDE : Number(name.slice(1));

export const eventOf = (
  { from, message, call, term }: Omit<Letter, "to">,
  moment: Moment,
): ClusterEvent => ({
  type: "message",
  clusterId: CLUSTER,
  from,
  term,
  message,
  call,
  ...moment,
});

const NEWEST = Version(Number.MAX_SAFE_INTEGER);

/** The client of a write has one frame for each, and passes for one that knows the newest map. */
export const frameOf = (
  { op, ack }: Extract<Asked, { type: "write" }>,
  seq: number,
  moment: Moment,
): NodeEvent => ({
  type: "frames",
  frames: [
    {
      socket: "client",
      session: { clientId: "client", forward: true, mapVersion: NEWEST, viewVersion: NEWEST },
      flow: NO_FLOW,
      message: { type: "OPS", seq, ops: [op], ack },
    },
  ],
  ...moment,
});

type Front = Extract<Asked, { type: "front" }>;

export const forwardOf = ({ op }: Front, index: number): ClusterMessage => ({
  type: "OP_FORWARD",
  sourceNodeId: "front",
  rulings: [],
  forwardId: Seq(index),
  ops: [op],
});

export const frontOf = (asked: Front, index: number, moment: Moment): NodeEvent => {
  const message = forwardOf(asked, index);
  return eventOf({ from: "front", message, call: callOf(index), term: Term(0) }, moment);
};
