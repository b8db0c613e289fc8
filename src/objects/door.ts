/** The one way from object to object: an envelope in, an envelope out. */
import type { ClusterId, NodeId, Term } from "../data/ids.ts";
import { decodeEnvelope, encodeEnvelope } from "../protocol/codec.ts";
import type { ClusterMessage, Envelope, Sender } from "../protocol/cluster-messages.ts";
import { CALL_MS_MAX } from "../protocol/limits.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import type { CallId } from "../core/machine/cluster-event.ts";
import type { Env } from "./env.ts";
import { within } from "./within.ts";

/** Calls that wait for their answer. Memory only: whoever asked an object that restarts asks again. */
export class Calls {
  #next: CallId = 1;
  readonly #waiting = new Map<CallId, (message: ClusterMessage) => void>();

  open(): { readonly call: CallId; readonly answer: Promise<ClusterMessage> } {
    const id = this.#next++;
    const answer = new Promise<ClusterMessage>((resolve) => this.#waiting.set(id, resolve));
    return { call: id, answer };
  }

  answer(id: CallId, message: ClusterMessage): void {
    this.#waiting.get(id)?.(message);
    this.#waiting.delete(id);
  }
}

export interface Address {
  readonly clusterId: ClusterId;
  readonly from: Sender;
  readonly term: Term;
}

/** Calls `deliver` of an object; null when it failed, was silent, or answered nonsense. */
export async function call(
  deliver: (bytes: Uint8Array) => Promise<Uint8Array>,
  { clusterId, from, term }: Address,
  message: ClusterMessage,
): Promise<Envelope | null> {
  const bytes = encodeEnvelope({ clusterId, version: PROTOCOL_VERSION, term, from, message });
  try {
    const answer = await within(CALL_MS_MAX, deliver(bytes));
    const decoded = decodeEnvelope(answer);
    return decoded.ok ? decoded.value : null;
  } catch {
    return null; // whether it was heard is unknown: everything is asked again until it is answered
  }
}

/** A fresh stub each time: one that failed once fails for ever. */
export function stubOf(
  env: Env,
  clusterId: ClusterId,
  to: Sender,
): { deliver(bytes: Uint8Array): Promise<Uint8Array> } {
  return to === "coordinator"
    ? env.COORDINATOR.getByName(clusterId)
    : env.NODES.getByName(nodeName(clusterId, to));
}

export const nodeName = (clusterId: ClusterId, nodeId: NodeId | "front"): string =>
  `${clusterId}/${nodeId}`;
