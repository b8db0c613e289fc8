/** One socket to a node: frames in and out, and receipts for what came. It decides nothing. */
import type { Asked, Told } from "../protocol/client-messages.ts";
import { decodeTold, encodeAsked } from "../protocol/client-codec.ts";
import { Receipts } from "../protocol/receipts.ts";

/** What is used of a WebSocket: browsers', Node's and Workers' have it. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number }) => void): void;
}

export type SocketMaker = new (url: string) => SocketLike;

export interface Ears {
  readonly opened: () => void;
  readonly heard: (message: Told) => void;
  /** For somebody who may not be there. False: nobody can make anything of it. */
  readonly heardElse: (bytes: Uint8Array) => boolean;
  readonly ponged: () => void;
  /** Once; nothing is heard after it. */
  readonly lost: (code: number) => void;
}

const OPEN = 1;
/** A close without a code is answered late by some. */
const NORMAL = 1_000;

export class Socket {
  readonly #socket: SocketLike;
  readonly #receipts = new Receipts();
  #ears: Ears | null;

  constructor(make: SocketMaker, url: string, ears: Ears) {
    this.#ears = ears;
    const socket = new make(url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#ears?.opened());
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("close", ({ code }) => this.#lost(code));
    socket.addEventListener("error", () => this.#lost(0));
  }

  /** What a closing socket is given is lost, as on the way. */
  send(message: Asked): void {
    this.sendBytes(encodeAsked(message));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(new Uint8Array(bytes));
  }

  ping(): void {
    if (this.#socket.readyState === OPEN) this.#socket.send("ping");
  }

  hangUp(): void {
    this.#ears = null;
    this.#socket.close(NORMAL);
  }

  /** As if it had closed: nothing more is heard over it. */
  giveUp(): void {
    this.#lost(0);
    this.#socket.close(NORMAL);
  }

  #take(data: unknown): void {
    if (typeof data === "string") return this.#ears?.ponged();
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : null;
    // Whoever sends it speaks another language: nothing can be made of what follows.
    if (!bytes) return this.giveUp();
    const message = decodeTold(bytes);
    if (message.ok) this.#ears?.heard(message.value);
    else if (message.error.code !== "UNKNOWN_MESSAGE" || this.#ears?.heardElse(bytes) === false)
      return this.giveUp();
    const receipt = this.#receipts.take(bytes.length, message.ok ? message.value : null);
    if (receipt) this.send(receipt);
  }

  #lost(code: number): void {
    const ears = this.#ears;
    this.#ears = null;
    ears?.lost(code);
  }
}
