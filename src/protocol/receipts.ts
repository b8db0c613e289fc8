import type { Received, ServerMessage } from "./client-messages.ts";

/** What a client has received over one socket, and when it is time to say so. */
export class Receipts {
  #received = 0;
  #reported = 0;
  #reportBytes = Infinity;

  /** `bytes`: of the frame that this message came in; null: one that says nothing here. What is to be sent, if anything. */
  take(bytes: number, message: ServerMessage | null): Received | null {
    this.#received += bytes;
    if (message?.type === "WELCOME") this.#reportBytes = message.creditBytes / 2;
    if (this.#received - this.#reported < this.#reportBytes) return null;
    this.#reported = this.#received;
    return { type: "RECEIVED", received: this.#received };
  }
}
