/** Reads and writes of entries: checked, shown here at once, and settled when a node has answered. */
import { ok, type Result } from "../data/result.ts";
import type { Row } from "../data/row.ts";
import { checkKey, integerProblem } from "../protocol/checks.ts";
import type { ErrorInfo } from "../protocol/errors.ts";
import { TTL_MS_MAX } from "../protocol/limits.ts";
import type { AckLevel } from "../protocol/ops.ts";
import { decodeJson, encodeJson } from "../protocol/values.ts";
import { writtenOf, type Desk, type Written } from "./desk.ts";
import { GridError, unanswered } from "./errors.ts";
import { isWrite, type Outcome, type Write } from "./machine/ask.ts";
import { Replica } from "./replica.ts";

/** Without `value`: a deletion. */
interface Change {
  readonly map: string;
  readonly key: string;
  readonly value?: unknown;
  readonly ttl?: number;
  readonly ack?: AckLevel;
}

export class Entries {
  readonly #desk: Desk;
  readonly #replica: Replica;
  readonly #now = (): number => this.#desk.now();

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#replica = new Replica(desk.defaults.localMax);
  }

  peek(map: string, key: string): unknown {
    return this.#replica.peek(map, key, this.#now);
  }

  read(map: string, key: string): Promise<unknown> {
    const problem = checkKey(map, key);
    if (problem) return Promise.reject(new GridError(problem));
    if (this.#replica.isPending(map, key)) return Promise.resolve(this.peek(map, key));
    const settled = ({ outcome }: { readonly outcome: Outcome }): unknown =>
      this.#learn(map, key, outcome);
    return this.#desk.ask({ type: "read", key: { map, key } }, { settled });
  }

  write({ map, key, ttl, ack = this.#desk.defaults.ack, ...rest }: Change): Promise<Written> {
    const problem = checkKey(map, key) ?? ttlProblem(ttl);
    if (problem) return Promise.reject(new GridError(problem));
    const isDeletion = !("value" in rest);
    const bytes: Result<Uint8Array | null, ErrorInfo> = isDeletion
      ? ok(null)
      : encodeJson(rest.value, "value");
    if (!bytes.ok) return Promise.reject(new GridError(bytes.error));
    const draft = { map, key, value: bytes.value };
    return this.#desk.ask(
      { type: "write", draft, ttlMs: ttl ?? null, ack },
      {
        taken: (ask) => {
          if (isWrite(ask)) this.#replica.wrote(rowOf(ask), rest.value, ask.id);
        },
        restamped: (write) => this.#replica.restamped(map, key, write.id, rowOf(write)),
        settled: (settled) => {
          this.#wrote(draft, settled.ask.id, settled.outcome);
          return writtenOf(settled);
        },
      },
    );
  }

  /** What was refused, or was older than what stands, is not shown any more: what stands is not known here. */
  #wrote({ map, key }: Pick<Row, "map" | "key">, id: number, outcome: Outcome): void {
    if (outcome.type === "stored") this.#replica.stored(map, key, id);
    else this.#replica.forget(map, key, id, outcome.type === "superseded" ? outcome.stamp : null);
  }

  #learn(map: string, key: string, outcome: Outcome): unknown {
    if (outcome.type !== "value")
      throw new GridError(outcome.type === "refused" ? outcome.error : unanswered());
    const { value, stamp } = outcome;
    const decoded = value ? decodeJson(value, "value") : ok(undefined);
    if (!decoded.ok) throw new GridError(decoded.error);
    if (!stamp) this.#replica.absent(map, key);
    else {
      const row: Row = { map, key, kind: "lww", sub: "", stamp, value, expiresAt: null };
      this.#replica.learned(row, decoded.value);
    }
    return this.peek(map, key);
  }
}

function rowOf({ op }: Write): Row {
  const { map, key, stamp, value } = op;
  const expiresAt = "expiresAt" in op ? op.expiresAt : null;
  return { map, key, kind: "lww", sub: "", stamp, value, expiresAt };
}

export const ttlProblem = (ttl: number | undefined): ErrorInfo | null =>
  ttl === undefined ? null : (integerProblem(ttl, 1, TTL_MS_MAX)?.("ttl") ?? null);
