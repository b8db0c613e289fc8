/** Reads and writes of entries: checked, shown here at once, and settled when a node has answered. */
import { assert } from "../data/assert.ts";
import { err, ok, type Result } from "../data/result.ts";
import type { Row } from "../data/row.ts";
import { checkKey, integerProblem } from "../protocol/checks.ts";
import type { ErrorInfo } from "../protocol/errors.ts";
import { TTL_MS_MAX } from "../protocol/limits.ts";
import type { AckLevel, ReadResult } from "../protocol/ops.ts";
import { decodeJson, encodeJson } from "../protocol/values.ts";
import { GridError, type GridErrorInfo } from "./errors.ts";
import type { Host } from "./host.ts";
import { isWrite, type Ask, type Read, type Settled, type Write } from "./machine/ask.ts";
import type { ClientEffect } from "./machine/client-state.ts";
import { gridNow } from "./machine/writer-clock.ts";
import { Replica } from "./replica.ts";

type Heard = Extract<ClientEffect, { type: "taken" | "not-taken" | "settled" | "restamped" }>;

/** Without `value`: a deletion. */
interface Change {
  readonly map: string;
  readonly key: string;
  readonly value?: unknown;
  readonly ttl?: number;
  readonly ack?: AckLevel;
}

export interface Written {
  /** It is durable, but somebody has written something newer under that key, which stands. */
  readonly superseded: boolean;
}

interface Caller {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: GridError) => void;
}

export class Entries {
  readonly #host: Host;
  readonly #ack: AckLevel;
  readonly #replica: Replica;
  readonly #callers = new Map<number, Caller>();
  readonly #now = (): number => gridNow(this.#host.client.outbox.clock, Date.now());
  /** What came of the operation that was asked for last. */
  #asked: Ask | GridErrorInfo | null = null;

  constructor(
    host: Host,
    { ack, localMax }: { readonly ack: AckLevel; readonly localMax: number },
  ) {
    this.#host = host;
    this.#ack = ack;
    this.#replica = new Replica(localMax);
  }

  peek(map: string, key: string): unknown {
    return this.#replica.peek(map, key, this.#now);
  }

  read(map: string, key: string): Promise<unknown> {
    const problem = checkKey(map, key);
    if (problem) return Promise.reject(new GridError(problem));
    if (this.#replica.isPending(map, key)) return Promise.resolve(this.peek(map, key));
    return this.#ask({ type: "read", map, key }, () => {});
  }

  write({ map, key, ttl, ack = this.#ack, ...rest }: Change): Promise<Written> {
    const encoded = checkKey(map, key) ?? ttlProblem(ttl);
    if (encoded) return Promise.reject(new GridError(encoded));
    const isDeletion = !("value" in rest);
    const bytes: Result<Uint8Array | null, ErrorInfo> = isDeletion
      ? ok(null)
      : encodeJson(rest.value, "value");
    if (!bytes.ok) return Promise.reject(new GridError(bytes.error));
    const ttlMs = ttl ?? null;
    const event = { type: "write", map, key, value: bytes.value, ttlMs, ack } as const;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a write settles so, see `#wrote`
    return this.#ask(event, (ask) => {
      if (isWrite(ask)) this.#replica.wrote(rowOf(ask), rest.value, ask.id);
    }) as Promise<Written>;
  }

  #ask(event: Parameters<Host["do"]>[0], taken: (ask: Ask) => void): Promise<unknown> {
    this.#asked = null;
    this.#host.do(event);
    const asked = this.#answerOf();
    if ("code" in asked) return Promise.reject(new GridError(asked));
    taken(asked);
    return new Promise((resolve, reject) => this.#callers.set(asked.id, { resolve, reject }));
  }

  #answerOf(): Ask | GridErrorInfo {
    assert(this.#asked !== null, "whoever asks the machine is told at once what it makes of that");
    return this.#asked;
  }

  hear(effect: Heard): void {
    switch (effect.type) {
      case "taken":
        this.#asked = effect.ask;
        return;
      case "not-taken":
        this.#asked = effect.error;
        return;
      case "restamped":
        for (const { id, op } of effect.writes) this.#replica.restamped(op.map, op.key, id, op);
        return;
      case "settled":
        for (const settled of effect.all) this.#settle(settled);
    }
  }

  #settle({ ask, outcome }: Settled): void {
    const caller = this.#callers.get(ask.id);
    this.#callers.delete(ask.id);
    if (isWrite(ask)) this.#wrote(ask, outcome);
    if (!caller) return;
    if (outcome.type === "refused") return caller.reject(new GridError(outcome.error));
    if (isWrite(ask)) return caller.resolve({ superseded: outcome.type === "superseded" });
    const read = outcome.type === "value" ? this.#learn(ask, outcome) : ok(undefined);
    if (read.ok) caller.resolve(read.value);
    else caller.reject(new GridError(read.error));
  }

  /** What was refused, or was older than what stands, is not shown any more: what stands is not known here. */
  #wrote({ id, op: { map, key } }: Write, outcome: Settled["outcome"]): void {
    if (outcome.type === "stored") this.#replica.stored(map, key, id);
    else this.#replica.forget(map, key, id, outcome.type === "superseded" ? outcome.stamp : null);
  }

  #learn(
    { key: { map, key } }: Read,
    { value, stamp }: Extract<ReadResult, { type: "value" }>,
  ): Result<unknown, ErrorInfo> {
    const decoded = value ? decodeJson(value, "value") : ok(undefined);
    if (!decoded.ok) return err(decoded.error);
    if (!stamp) this.#replica.absent(map, key);
    else {
      const row: Row = { map, key, kind: "lww", sub: "", stamp, value, expiresAt: null };
      this.#replica.learned(row, decoded.value);
    }
    return ok(this.peek(map, key));
  }
}

const rowOf = ({ op }: Write): Row => ({ ...op, kind: "lww", sub: "" });

const ttlProblem = (ttl: number | undefined): ErrorInfo | null =>
  ttl === undefined ? null : (integerProblem(ttl, 1, TTL_MS_MAX)?.("ttl") ?? null);
