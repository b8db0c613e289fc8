/** A client that reads from its connection only when told to: what it is sent piles up at the other end. */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { decodeServerMessage, encodeClientMessage } from "../../src/protocol/codec.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";

const BINARY = 2;

export class SlowReader {
  readonly received: ServerMessage[] = [];
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #upgraded = false;

  constructor({ hostname, port }: URL, query: string) {
    this.#socket = connect(Number(port), hostname);
    this.#socket.on("data", (bytes) => this.#take(bytes));
    const lines = [
      `GET /v1/ws${query} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
      "Sec-WebSocket-Version: 13",
    ];
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  /** A client masks its frames; nothing here is longer than one byte can say. */
  send(message: ClientMessage): void {
    const bytes = encodeClientMessage(message);
    if (bytes.length > 125) throw new Error("only short frames");
    const mask = randomBytes(4);
    const masked = bytes.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
    const head = [0x80 | BINARY, 0x80 | bytes.length];
    this.#socket.write(Buffer.concat([Buffer.from(head), mask, masked]));
  }

  stopReading(): void {
    this.#socket.pause();
  }
  readOn(): void {
    this.#socket.resume();
  }
  end(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (!this.#upgraded) {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.#upgraded = true;
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    for (let frame = this.#frame(); frame; frame = this.#frame()) {
      const message = decodeServerMessage(frame);
      if (!message.ok) throw new Error(JSON.stringify(message.error));
      this.received.push(message.value);
    }
  }

  /** The payload of the next whole frame. */
  #frame(): Buffer | null {
    const short = (this.#bytes[1] ?? 0) & 0x7f;
    const headBytes = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (this.#bytes.length < headBytes) return null;
    const length =
      short === 127
        ? Number(this.#bytes.readBigUInt64BE(2))
        : short === 126
          ? this.#bytes.readUInt16BE(2)
          : short;
    if (this.#bytes.length < headBytes + length) return null;
    const payload = this.#bytes.subarray(headBytes, headBytes + length);
    this.#bytes = this.#bytes.subarray(headBytes + length);
    return payload;
  }
}
