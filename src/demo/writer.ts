/**
 * A client over a WebSocket. Whatever it has sent stays in its outbox until it is acknowledged, and
 * goes out again, with the same stamps, when its socket is closed or when no answer comes.
 */
import { encode } from "@msgpack/msgpack";
import { CLOCK_ZERO, tick } from "../data/hlc.ts";
import type { Ack, ServerMessage } from "../protocol/client-messages.ts";
import { MAP, textOf, type Change } from "./changes.ts";
import { connect, type Connection } from "./connection.ts";
import type { Ledger } from "./ledger.ts";
import { Outbox, type Write } from "./outbox.ts";
import { RESEND_MS } from "./settings.ts";
import type { Tally } from "./tally.ts";

const FRAMES_UNDER_WAY = 4;
const RESEND_EVERY_MS = 250;
const RECONNECT_MS_MAX = 1_000;

export interface Pace {
  readonly frameOps: number;
  /** From frame to frame; 0: as fast as they are acknowledged. */
  readonly everyMs: number;
}

/** One call of `write`. */
interface Task {
  readonly changes: Iterator<Change>;
  readonly pace: Pace;
  readonly tally: Tally;
  readonly finished: () => void;
  exhausted: boolean;
}

export class Writer {
  readonly id: string;
  readonly #base: URL;
  readonly #ledger: Ledger;
  readonly #outbox = new Outbox();
  readonly #timer: NodeJS.Timeout;
  #connection: Connection | null = null;
  #closing = false;
  #task: Task | null = null;
  #clock = CLOCK_ZERO;
  #n = 0;

  constructor(base: URL, id: string, ledger: Ledger) {
    this.#base = base;
    this.id = id;
    this.#ledger = ledger;
    this.#timer = setInterval(() => this.#resendLate(), RESEND_EVERY_MS);
  }

  async open(node: string): Promise<void> {
    this.#connection = await this.#connect(node);
  }

  /** Writes not acknowledged. */
  get unanswered(): number {
    return this.#outbox.writes().length;
  }

  /** Resolves when there are no more changes and every one is acknowledged. */
  async write(changes: Iterator<Change>, pace: Pace, tally: Tally): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const task: Task = { changes, pace, tally, finished: resolve, exhausted: false };
    this.#task = task;
    if (pace.everyMs === 0) this.#fill(task);
    const timer = pace.everyMs === 0 ? null : setInterval(() => this.#beat(task), pace.everyMs);
    await promise;
    if (timer) clearInterval(timer);
  }

  close(): void {
    this.#closing = true;
    clearInterval(this.#timer);
    for (const { n, op } of this.#outbox.writes()) this.#ledger.doubtful(op.key, n);
    this.#connection?.close();
  }

  // ---------------------------------------------------------------- out

  #fill(task: Task): void {
    while (!task.exhausted && this.#outbox.size < FRAMES_UNDER_WAY) this.#sendNext(task);
    this.#finishIfDone(task);
  }

  #beat(task: Task): void {
    if (this.#outbox.size < FRAMES_UNDER_WAY) this.#sendNext(task);
    this.#finishIfDone(task);
  }

  #sendNext(task: Task): void {
    const writes: Write[] = [];
    while (writes.length < task.pace.frameOps && !task.exhausted) {
      const { value, done } = task.changes.next();
      if (done === true) task.exhausted = true;
      else writes.push(this.#writeOf(value));
    }
    if (writes.length > 0) this.#send(this.#outbox.add(writes), writes);
  }

  #goOn(task: Task): void {
    if (task.pace.everyMs === 0) this.#fill(task);
    else this.#finishIfDone(task);
  }

  #finishIfDone(task: Task): void {
    if (task.exhausted && this.#outbox.size === 0) task.finished();
  }

  #writeOf({ key, deletes }: Change): Write {
    const n = this.#n++;
    const [clock, stamp] = tick(this.#clock, Date.now(), this.id);
    this.#clock = clock;
    const value = deletes ? null : encode(textOf(n));
    return { n, op: { map: MAP, key, stamp, value, expiresAt: null } };
  }

  #send(seq: number, writes: readonly Write[]): void {
    this.#connection?.send({ type: "OPS", seq, ops: writes.map(({ op }) => op) });
  }

  #resendLate(): void {
    if (!this.#connection) return;
    for (const [seq, { writes }] of this.#outbox.again(RESEND_MS)) {
      if (this.#task) this.#task.tally.timedOut += writes.length;
      this.#send(seq, writes);
    }
  }

  // ---------------------------------------------------------------- in

  #take(message: ServerMessage): void {
    const task = this.#task;
    if (!task) return;
    switch (message.type) {
      case "ACK":
        return this.#acked(task, message);
      case "NOT_OWNER":
        task.tally.redirected += message.indexes.length;
        return;
      case "ERROR": {
        const frame = message.seq === null ? null : this.#outbox.take(message.seq);
        if (!frame) throw new Error(`the socket of ${this.id}: ${message.error.message}`);
        for (const write of frame.writes) this.#refused(task, write, message.error.code);
        return this.#goOn(task);
      }
      case "WELCOME":
      case "VALUES":
      case "REPLIES":
      case "MAP":
      case "MAP_DELTA":
      case "CHANGES":
      case "SYNCED":
      case "WANT_DIGESTS":
      case "RESYNC":
    }
  }

  #acked(task: Task, { seq, exceptions }: Ack): void {
    const frame = this.#outbox.take(seq);
    if (!frame) return;
    task.tally.gapsMs.push(frame.gapMs);
    const refused = new Map<number, string>();
    for (const { index, result } of exceptions)
      if (result.type === "refused") refused.set(index, result.error.code);
    for (const [index, write] of frame.writes.entries()) {
      const code = refused.get(index);
      if (code !== undefined) {
        this.#refused(task, write, code);
        continue;
      }
      const { key, value } = write.op;
      this.#ledger.acked(key, write.n, value === null);
      task.tally.ackedAfter(frame.afterMs, value === null);
    }
    this.#goOn(task);
  }

  #refused({ tally }: Task, { n, op }: Write, code: string): void {
    tally.refusedWith(code);
    this.#ledger.doubtful(op.key, n);
  }

  // ---------------------------------------------------------------- connection

  async #connect(node: string | null): Promise<Connection> {
    return connect(
      this.#base,
      { node, clientId: this.id, forward: true },
      {
        message: (message) => this.#take(message),
        closed: (code) => void this.#closed(code),
      },
    );
  }

  /** To any other node, for as long as it takes. */
  async #closed(code: number): Promise<void> {
    this.#connection = null;
    this.#task?.tally.cutOffBy(code, this.unanswered);
    for (let pauseMs = 25; !this.#closing; pauseMs = Math.min(2 * pauseMs, RECONNECT_MS_MAX)) {
      try {
        this.#connection = await this.#connect(null);
        if (this.#closing) this.#connection.close();
        break;
      } catch {
        const { promise, resolve } = Promise.withResolvers<void>();
        setTimeout(resolve, Math.random() * pauseMs);
        await promise;
      }
    }
    for (const [seq, { writes }] of this.#outbox.again(0)) this.#send(seq, writes);
  }
}
