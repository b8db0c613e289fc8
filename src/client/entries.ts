/** Reads and writes of entries: checked, shown here at once, and settled when a node has answered. */
import { checkKey, integerProblem } from "../protocol/checks.ts";
import type { ErrorInfo } from "../protocol/errors.ts";
import { TTL_MS_MAX } from "../protocol/limits.ts";
import type { AckLevel } from "../protocol/ops.ts";
import { decodeJson, encodeJson } from "../protocol/values.ts";
import { writtenOf, type Desk, type Written } from "./desk.ts";
import { refuse, valueOf } from "./errors.ts";
import type { HubLoader } from "./hub-loader.ts";
import { contentOf, isWrite, type Of, type Settled } from "./machine/ask.ts";
import { Replica } from "./replica.ts";

/** Without `value`: a deletion. */
interface Change extends Of {
  readonly value?: unknown;
  readonly ttl?: number;
  readonly ack?: AckLevel;
}

export class Entries {
  readonly #desk: Desk;
  readonly #loader: HubLoader;
  readonly #replica: Replica;
  readonly #now = (): number => this.#desk.now();

  constructor(desk: Desk, loader: HubLoader) {
    this.#desk = desk;
    this.#replica = new Replica(desk.defaults.localMax);
    this.#loader = loader;
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
    const { ask, settled } = this.#desk.ask(
      { type: "write", draft: { map, key, value }, ttlMs: ttl ?? null, ack },
      (write) => {
        this.#replica.restamped(map, key, write.id, contentOf(write));
        this.#loader.hub?.restamped(write);
      },
    );
    if (isWrite(ask)) {
      this.#replica.put(map, key, { row: contentOf(ask), value: rest.value, pending: ask.id });
      this.#loader.hub?.wrote(ask);
    }
    const last = await settled;
    this.#wrote({ map, key }, last);
    return writtenOf(last);
  }

  /** What was refused, or was older than what stands, is not shown any more: what stands is not known here. */
  #wrote({ map, key }: Of, { ask, outcome }: Settled): void {
    const { id } = ask;
    this.#loader.hub?.settled(id, { map, key }, outcome.type !== "refused");
    if (outcome.type === "stored") this.#replica.stored(map, key, id);
    else this.#replica.forget(map, key, id, outcome.type === "superseded" ? outcome.stamp : null);
  }
}

export const ttlProblem = (ttl: number | undefined): ErrorInfo | null =>
  ttl === undefined ? null : (integerProblem(ttl, 1, TTL_MS_MAX)?.("ttl") ?? null);
