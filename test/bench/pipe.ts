/**
 * A client that keeps a window of frames under way. It fails if one is not answered, or not with what was asked for: a
 * refusal is quick, and so is a key that nobody has put.
 */
import { ClusterId } from "../../src/data/ids.ts";
import { decodeServerMessage, encodeClientMessage } from "../../src/protocol/codec.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import { Receipts } from "../../src/protocol/receipts.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";

const ANSWER_MS_MAX = 30_000;

/** What one run of frames took: every frame is answered, or the run fails. */
export interface Run {
  readonly ms: number;
  /** From sending to answer, ms, per frame. */
  readonly latencies: readonly number[];
  /** Between one answer and the next, ms. */
  readonly gaps: readonly number[];
}

interface Sent {
  readonly at: number;
  /** Values that were asked for. */
  readonly keys: number;
}

export class Pipe {
  readonly #socket: WebSocket;
  #seq = 0;
  readonly #receipts = new Receipts();
  readonly #sent = new Map<number, Sent>();
  #answered: (ms: number) => void = () => {};
  #failed: (error: Error) => void = () => {};
  /** Why nothing can be sent any more. */
  #over: Error | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) this.#receive(new Uint8Array(data));
    });
    socket.addEventListener("close", ({ code }) => {
      if (this.#over) return;
      this.#over = new Error(`closed with ${this.#sent.size} frames unanswered: ${code}`);
      console.error(this.#over.message);
      this.#failed(this.#over);
    });
  }

  static async open(url: URL): Promise<Pipe> {
    const address = new URL(url);
    address.protocol = "ws:";
    const socket = new WebSocket(address.href);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error(`no socket at ${address.href}`)));
    });
    return new Pipe(socket);
  }

  /** As a client of a grid that passes on what belongs elsewhere. */
  async greet(clientId: string): Promise<void> {
    const greeting = { version: PROTOCOL_VERSION, cluster: ClusterId("main"), clientId };
    const welcomed = new Promise<void>((resolve) => {
      const listen = (): void => {
        this.#socket.removeEventListener("message", listen);
        resolve();
      };
      this.#socket.addEventListener("message", listen);
    });
    this.#send({ type: "HELLO", ...greeting, forward: true, received: 0 });
    await welcomed;
  }

  /** Sends frames while `more()`, with at most `window` unanswered, and no more than one every `everyMs`. */
  run(
    frame: (seq: number) => ClientMessage,
    { more, window, everyMs = 0 }: { more: () => boolean; window: number; everyMs?: number },
  ): Promise<Run> {
    if (this.#over) return Promise.reject(this.#over);
    const began = performance.now();
    const latencies: number[] = [];
    const gaps: number[] = [];
    let last = began;
    let sent = 0;
    return new Promise((resolve, reject) => {
      const timer = setInterval(
        () => {
          if (performance.now() - last > ANSWER_MS_MAX && this.#sent.size > 0)
            this.#failed(new Error(`${this.#sent.size} frames are not answered`));
          fill();
        },
        Math.max(1, Math.min(everyMs, 1_000)),
      );
      const finish = (): void => {
        clearInterval(timer);
        resolve({ ms: performance.now() - began, latencies, gaps });
      };
      const fill = (): void => {
        while (this.#sent.size < window && more()) {
          if (everyMs > 0 && performance.now() - began < sent * everyMs) return;
          const seq = this.#seq++;
          sent++;
          const message = frame(seq);
          const keys = message.type === "GET" ? message.keys.length : 0;
          this.#sent.set(seq, { at: performance.now(), keys });
          this.#send(message);
        }
        if (this.#sent.size === 0 && !more()) finish();
      };
      this.#failed = (error) => {
        clearInterval(timer);
        reject(error);
      };
      this.#answered = (ms) => {
        const now = performance.now();
        latencies.push(ms);
        gaps.push(now - last);
        last = now;
        fill();
      };
      fill();
    });
  }

  close(): void {
    this.#over = new Error("closed by itself");
    this.#socket.close();
  }

  #send(message: ClientMessage): void {
    const frame = encodeClientMessage(message);
    this.#socket.send(new Uint8Array(frame));
  }

  #receive(bytes: Uint8Array): void {
    const message = decodeServerMessage(bytes);
    if (!message.ok) return this.#failed(new Error(JSON.stringify(message.error)));
    const receipt = this.#receipts.take(bytes.length, message.value);
    if (receipt) this.#send(receipt);
    this.#take(message.value);
  }

  #take(message: ServerMessage): void {
    if (message.type === "ERROR") return this.#failed(new Error(message.error.code));
    if (message.type !== "ACK" && message.type !== "VALUES" && message.type !== "REPLIES") return;
    const sent = this.#sent.get(message.seq);
    if (sent === undefined) return;
    const problem = problemIn(message, sent.keys);
    if (problem !== null) return this.#failed(new Error(problem));
    this.#sent.delete(message.seq);
    this.#answered(performance.now() - sent.at);
  }
}

type Answer = Extract<ServerMessage, { type: "ACK" | "VALUES" | "REPLIES" }>;

function problemIn(message: Answer, keys: number): string | null {
  if (message.type === "ACK") return refusedIn(message);
  if (message.type === "VALUES") return missingIn(message, keys);
  const refusal = message.replies.find(({ type }) => type === "refused");
  return refusal ? `refused: ${JSON.stringify(refusal)}` : null;
}

/** A newer write of the same key may overtake an older one that is passed on. */
function refusedIn({ exceptions }: Extract<ServerMessage, { type: "ACK" }>): string | null {
  const refusal = exceptions.find(({ result }) => result.type === "refused");
  return refusal ? `refused: ${JSON.stringify(refusal)}` : null;
}

function missingIn(
  { values }: Extract<ServerMessage, { type: "VALUES" }>,
  keys: number,
): string | null {
  if (values.length !== keys) return `${values.length} values for ${keys} keys`;
  const other = values.find((result) => result.type !== "value" || result.value === null);
  return other ? `not a value: ${JSON.stringify(other)}` : null;
}
