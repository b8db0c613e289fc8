/** One socket between a client and a node: what each end knows of it. */
import type { SocketId } from "../../../src/core/node/requests.ts";
import type { NodeId } from "../../../src/data/ids.ts";
import type {
  ClientOp,
  ClientQuestion,
  ServerMessage,
} from "../../../src/protocol/client-messages.ts";
import type { AckLevel } from "../../../src/protocol/ops.ts";
import type { Ears } from "../../../src/client/socket.ts";

/** As `Ears`, of which nobody hears bytes here. */
export type SimEars = Pick<Ears, "opened" | "ponged" | "lost"> & {
  readonly heard: (message: ServerMessage) => void;
};

/** Sent over it, and not answered. */
export interface Frame {
  readonly ops: readonly ClientOp[];
  readonly keys: readonly ClientQuestion[];
  readonly ack: AckLevel;
  readonly begunAt: number;
}

export interface Link {
  readonly id: SocketId;
  readonly client: string;
  readonly node: NodeId;
  /** null: the client has let it go. */
  ears: SimEars | null;
  isOpen: boolean;
  /** Nothing passes any more, whether its ends know so or not. */
  isBroken: boolean;
  /** The node has it. */
  isAtNode: boolean;
  subscribed: "told" | "behind" | null;
  readonly frames: Map<number, Frame>;
}
