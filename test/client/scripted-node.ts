/** A node that says what a test says, over sockets of the kind that the client may be given; it reads what real nodes read. */
import type { SocketLike, SocketMaker } from "../../src/client/socket.ts";
import { decodeClientMessage, encodeServerMessage } from "../../src/protocol/codec.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import { welcomeOf } from "./worlds.ts";

type Listener = (event: { readonly data: unknown; readonly code: number }) => void;

export class ScriptedNode {
  readonly heard: ClientMessage[] = [];
  readonly make: SocketMaker;
  /** Answers what it is asked; null: nothing, for now. */
  answer: (message: ClientMessage) => ServerMessage | null = () => null;
  isUp = true;
  /** Of the client's clock. */
  aheadMs = 0;
  readonly #sockets = new Set<ScriptedSocket>();

  constructor() {
    const hear = (socket: ScriptedSocket, message: ClientMessage): void => {
      this.heard.push(message);
      if (message.type === "HELLO")
        return socket.say(welcomeOf("n1", { nowMs: Date.now() + this.aheadMs }));
      const answer = this.answer(message);
      if (answer) socket.say(answer);
    };
    const open = (socket: ScriptedSocket): boolean => {
      if (this.isUp) this.#sockets.add(socket);
      return this.isUp;
    };
    this.make = class extends ScriptedSocket {
      constructor() {
        super(hear, open);
      }
    };
  }

  say(message: ServerMessage): void {
    for (const socket of this.#sockets) socket.say(message);
  }

  last<Type extends ClientMessage["type"]>(
    type: Type,
  ): Extract<ClientMessage, { type: Type }> | undefined {
    return this.heard.findLast((message) => isOf(message, type)) as never;
  }

  cut(): void {
    this.isUp = false;
    for (const socket of this.#sockets) socket.drop();
    this.#sockets.clear();
  }
}

const isOf = (message: ClientMessage, type: string): boolean => message.type === type;

class ScriptedSocket implements SocketLike {
  binaryType = "";
  readyState = 0;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #hear: (socket: ScriptedSocket, message: ClientMessage) => void;

  constructor(
    hear: (socket: ScriptedSocket, message: ClientMessage) => void,
    open: (socket: ScriptedSocket) => boolean,
  ) {
    this.#hear = hear;
    queueMicrotask(() => {
      const isOpen = open(this);
      this.readyState = isOpen ? 1 : 3;
      this.#tell(isOpen ? "open" : "close");
    });
  }

  send(data: string | Uint8Array): void {
    if (typeof data === "string") return this.#tell("message", "pong");
    const message = decodeClientMessage(data);
    if (!message.ok) throw new Error(message.error.error.message);
    queueMicrotask(() => this.#hear(this, message.value));
  }

  say(message: ServerMessage): void {
    const bytes = encodeServerMessage(message);
    this.#tell("message", bytes.slice().buffer);
  }

  close(): void {
    this.readyState = 3;
  }

  drop(): void {
    this.readyState = 3;
    this.#tell("close");
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    const all = this.#listeners.get(type) ?? [];
    this.#listeners.set(type, [...all, listener as Listener]);
  }

  #tell(type: string, data: unknown = null): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data, code: 1006 });
  }
}
