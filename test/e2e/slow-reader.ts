/** A client that reads from its connection only when told to: what it is sent piles up at the other end. */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { decodeServerMessage, encodeClientMessage } from "../../src/protocol/codec.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";

const BINARY = 2;
const CLOSE = 8;

/** Of one frame: its payload, and what kind it is. */
interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export class SlowReader {
  readonly received: ServerMessage[] = [];
  /** Of binary frames, as a receipt says it. */
  receivedBytes = 0;
  /** As the node gave them. */
  closed: { readonly code: number; readonly reason: string } | null = null;
  readonly #socket: Socket;
  readonly #hear: (payload: Buffer) => void;
  #bytes = Buffer.alloc(0);
  #upgraded = false;

  /** `hear`: what is done with each frame; otherwise it is kept in `received`. */
  constructor({ hostname, port }: URL, query: string, hear?: (payload: Buffer) => void) {
    this.#hear = hear ?? ((payload) => this.#keep(payload));
    this.#socket = connect(Number(port), hostname);
    this.#socket.on("data", (bytes) => this.#take(bytes));
    this.#socket.on("error", () => {}); // whoever closes on purpose may be reset
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

  /** A client masks its frames. */
  send(message: ClientMessage): void {
    const bytes = encodeClientMessage(message);
    const mask = randomBytes(4);
    const masked = bytes.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
    this.#socket.write(Buffer.concat([headOf(bytes.length), mask, masked]));
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
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (!this.#upgraded) {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.#upgraded = true;
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    for (let frame = this.#frame(); frame; frame = this.#frame()) this.#read(frame);
  }

  #read({ opcode, payload }: Frame): void {
    if (opcode === CLOSE) {
      this.closed = { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
      return;
    }
    this.receivedBytes += payload.length;
    this.#hear(payload);
  }

  #keep(payload: Buffer): void {
    const message = decodeServerMessage(payload);
    if (!message.ok) throw new Error(JSON.stringify(message.error));
    this.received.push(message.value);
  }

  /** The next one that is whole. */
  #frame(): Frame | null {
    const opcode = (this.#bytes[0] ?? 0) & 0x0f;
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
    return { opcode, payload };
  }
}

function headOf(length: number): Buffer {
  if (length > 0xffff) throw new Error("only frames that two bytes can say the length of");
  const head = [0x80 | BINARY, 0x80 | (length > 125 ? 126 : length)];
  return Buffer.from(length > 125 ? [...head, length >> 8, length & 255] : head);
}
