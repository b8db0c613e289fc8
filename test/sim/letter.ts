import type { CallId } from "../../src/core/machine/cluster-event.ts";
import type { Term } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";

/** A message on its way. */
export interface Letter {
  readonly from: Sender;
  readonly to: Sender;
  readonly message: ClusterMessage;
  readonly call: CallId | null;
  /** The sender's, when it spoke. */
  readonly term: Term;
}
