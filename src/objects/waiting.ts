/**
 * What waits in an inbox, bounded. Beyond a bound nothing is taken, and whoever sent it is told so at once.
 *
 * What clients want and what the members of a cluster say to each other have a room each: a crowd must not keep
 * a ruling out. Answers have none, since they are as few as this object's own questions.
 */
import type { SocketId } from "../core/node/requests.ts";
import { makeError, type ErrorInfo } from "../protocol/errors.ts";
import { CREDIT_FRAMES, INBOX_BYTES_MAX } from "../protocol/limits.ts";

export interface Claim {
  readonly side: "clients" | "cluster";
  readonly bytes: number;
  /** A frame of this socket's, which counts against its credit. */
  readonly socket: SocketId | null;
}

/** In memory beside its bytes, about: so the bound holds for any number of small ones, too. */
const ITEM_BYTES = 1024;

interface Queue {
  readonly frames: number;
  /** Since some frame of the socket has been waiting. */
  readonly refused: number;
}

export class Waiting {
  readonly #bytes = { clients: 0, cluster: 0 };
  /** Only sockets of which some frame waits. */
  readonly #sockets = new Map<SocketId, Queue>();

  /** Takes the room that it needs, or says why not. */
  enter(claim: Claim): ErrorInfo | null {
    const error = this.#objection(claim);
    const { side, bytes, socket } = claim;
    if (error) {
      if (socket !== null) this.#count(socket, { frames: 0, refused: 1 });
      return error;
    }
    this.#bytes[side] += bytes + ITEM_BYTES;
    if (socket !== null) this.#count(socket, { frames: 1, refused: 0 });
    return null;
  }

  leave({ side, bytes, socket }: Claim): void {
    this.#bytes[side] -= bytes + ITEM_BYTES;
    if (socket !== null) this.#count(socket, { frames: -1, refused: 0 });
  }

  /** Frames of this socket that were refused while others of its own waited. */
  refusedOf(socket: SocketId): number {
    return this.#sockets.get(socket)?.refused ?? 0;
  }

  has(socket: SocketId): boolean {
    return this.#sockets.has(socket);
  }

  #objection({ side, bytes, socket }: Claim): ErrorInfo | null {
    const frames = 1 + (socket === null ? 0 : (this.#sockets.get(socket)?.frames ?? 0));
    if (frames > CREDIT_FRAMES)
      return makeError("CREDIT_EXCEEDED", { field: "frames", value: frames, max: CREDIT_FRAMES });
    const value = this.#bytes[side] + bytes + ITEM_BYTES;
    return value > INBOX_BYTES_MAX
      ? makeError("OVERLOADED", { field: "bytes", value, max: INBOX_BYTES_MAX })
      : null;
  }

  #count(socket: SocketId, more: Queue): void {
    const known = this.#sockets.get(socket);
    const frames = (known?.frames ?? 0) + more.frames;
    if (frames === 0) this.#sockets.delete(socket);
    else this.#sockets.set(socket, { frames, refused: (known?.refused ?? 0) + more.refused });
  }
}
