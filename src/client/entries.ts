/** Reads and writes of entries: checked, shown here at once, and settled when a node has answered. */
import { checkKey, integerProblem } from "../protocol/checks.ts";
import type { ErrorInfo } from "../protocol/errors.ts";
import { TTL_MS_MAX } from "../protocol/limits.ts";
import type { AckLevel } from "../protocol/ops.ts";
import { decodeJson, encodeJson } from "../protocol/values.ts";
import { writtenOf, type Asked, type Desk, type Written } from "./desk.ts";
import { refuse, valueOf } from "./errors.ts";
import { contentOf, isOfEntry, ofAsk, type Of, type Settled, type Write } from "./machine/ask.ts";
import { Replica } from "./replica.ts";

/** Without `value`: a deletion. */
interface Change extends Of {
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

  async read(map: string, key: string): Promise<unknown> {
    refuse(checkKey(map, key));
    if (this.#replica.isPending(map, key)) return this.peek(map, key);
    const { value, stamp } = await this.#desk.read({ map, key });
    const decoded = value ? valueOf(decodeJson(value, "value")) : undefined;
    if (stamp) this.#replica.learned(map, key, { stamp, value, expiresAt: null }, decoded);
    else this.#replica.absent(map, key);
    return this.peek(map, key);
  }

  async write({ map, key, ttl, ack = this.#desk.defaults.ack, ...rest }: Change): Promise<Written> {
    refuse(checkKey(map, key) ?? ttlProblem(ttl));
    const value = "value" in rest ? valueOf(encodeJson(rest.value, "value")) : null;
    const asked = this.#desk.ask(
      { type: "write", draft: { map, key, value }, ttlMs: ttl ?? null, ack },
      this.restamped,
    );
    return this.follow(asked, rest.value);
  }

  /** What was asked for is shown, if it is of an entry. `value`: as the application gave it. */
  async follow({ ask, settled }: Asked, value: unknown): Promise<Written> {
    const { map, key } = ofAsk(ask);
    const ofEntry = isOfEntry(ask);
    if (ofEntry) this.#replica.put(map, key, { row: contentOf(ask), value, pending: ask.id });
    const last = await settled;
    if (ofEntry) this.#wrote({ map, key }, last);
    return writtenOf(last);
  }

  readonly restamped = (write: Write): void => {
    if (!isOfEntry(write)) return;
    this.#replica.restamped(write.op.map, write.op.key, write.id, contentOf(write));
  };

  /** What was refused, or was older than what stands, is not shown any more: what stands is not known here. */
  #wrote({ map, key }: Of, { ask, outcome }: Settled): void {
    const { id } = ask;
    if (outcome.type === "stored") this.#replica.stored(map, key, id);
    else this.#replica.forget(map, key, id, outcome.type === "superseded" ? outcome.stamp : null);
  }
}

export const ttlProblem = (ttl: number | undefined): ErrorInfo | null =>
  ttl === undefined ? null : (integerProblem(ttl, 1, TTL_MS_MAX)?.("ttl") ?? null);
