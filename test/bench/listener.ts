/** A subscriber that looks at no more than the bytes of what it is told, so that a thousand of them fit in one process. */
import { ClusterId } from "../../src/data/ids.ts";
import { decodeServerMessage } from "../../src/protocol/codec.ts";
import type { ServerMessage } from "../../src/protocol/client-messages.ts";
import { Receipts } from "../../src/protocol/receipts.ts";
import type { Query } from "../../src/protocol/subscription-messages.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { until } from "../e2e/follower.ts";
import { SlowReader } from "../e2e/slow-reader.ts";

const HELLO = {
  type: "HELLO",
  version: PROTOCOL_VERSION,
  cluster: ClusterId("main"),
  clientId: "listener",
  forward: true,
  received: 0,
} as const;
/** SYNCED and RESYNC have nothing in them. */
const SHORT = 32;

export class Listener {
  /** It was told all that there was. */
  synced = false;
  readonly #socket: SlowReader;
  readonly #receipts = new Receipts();
  readonly #query: Query;
  readonly #changed: (frame: Buffer) => void;
  #lost = false;

  constructor(base: URL, node: string, query: Query, changed: (frame: Buffer) => void) {
    this.#query = query;
    this.#changed = changed;
    this.#socket = new SlowReader(base, `?node=${node}`, (frame) => this.#hear(frame));
    this.#socket.send(HELLO);
  }

  stopReading(): void {
    this.#socket.stopReading();
  }

  /** Reads what it was sent meanwhile, until it is told that it has missed something. Returns how many bytes. */
  async readOn(): Promise<number> {
    const before = this.#socket.receivedBytes;
    this.#socket.readOn();
    await until(() => this.#lost, "to be told that something was missed");
    return this.#socket.receivedBytes - before;
  }

  end(): void {
    this.#socket.end();
  }

  #hear(frame: Buffer): void {
    if (this.synced && frame.length > SHORT) {
      this.#report(frame.length, null);
      return this.#changed(frame);
    }
    const message = decodeServerMessage(frame);
    if (!message.ok) throw new Error(JSON.stringify(message.error));
    this.#report(frame.length, message.value);
    const { type } = message.value;
    if (type === "WELCOME")
      this.#socket.send({ type: "SUBSCRIBE", seq: 1, id: 1, ...this.#query, positions: [] });
    if (type === "SYNCED") this.synced = true;
    if (type === "RESYNC") this.#lost = true;
    if (type === "ERROR") throw new Error(JSON.stringify(message.value.error));
  }

  #report(bytes: number, message: ServerMessage | null): void {
    const receipt = this.#receipts.take(bytes, message);
    if (receipt) this.#socket.send(receipt);
  }
}
