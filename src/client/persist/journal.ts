/**
 * Writes down what is not settled, so that a page that ends loses none of it. What happens while a transaction is under way is
 * written in the next one.
 */
import type { Client, ClientEffect } from "../machine/client-state.ts";
import { isCounted, nameOf, type Ask, type Counted, type Settled } from "../machine/ask.ts";
import { counted, recordOf, type CountRecord } from "./records.ts";
import type { Changes, Store } from "./store.ts";

export class Journal {
  readonly #store: Pick<Store, "write">;
  readonly #counts = new Map<string, CountRecord>();
  #changes = noChanges();
  #writing: Promise<void> | null = null;
  /** Connections that work: what is asked for may be sent at once. */
  #links = 0;
  #hasFailed = false;

  constructor(store: Pick<Store, "write">) {
    this.#store = store;
  }

  /** Something that was to be written is not. It is tried again with what comes next. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** `client`: as it is after it. */
  hear(effect: ClientEffect, client: Client): void {
    switch (effect.type) {
      case "taken":
        this.#asked(effect.ask);
        break;
      case "adopted":
        for (const ask of effect.asks) this.#asked(ask);
        break;
      case "restamped":
        for (const write of effect.writes) this.#put(write);
        break;
      case "settled":
        // What was not settled when all was closed is left to others.
        if (client.over) return;
        for (const settled of effect.all) this.#settled(settled);
        break;
      case "up":
        this.#links++;
        this.#changes.exposedBelow = client.nextId;
        this.#changes.partitionCount = client.router.partitionCount;
        break;
      case "down":
        this.#links--;
        return;
      default:
        return;
    }
    this.#writeSoon();
  }

  /** Right after what that one has left was adopted: it is this client's now. Resolves when it is written. */
  async adopted(writer: string): Promise<void> {
    this.#changes.adopted.add(writer);
    this.#writeSoon();
    await this.done();
  }

  /** Resolves when all is written, or could not be. */
  async done(): Promise<void> {
    while (this.#writing) {
      // oxlint-disable-next-line no-await-in-loop -- the next one begins meanwhile
      await this.#writing;
    }
  }

  #asked(ask: Ask): void {
    if (isCounted(ask)) this.#count(ask, false);
    this.#put(ask);
  }

  #put(ask: Ask): void {
    const record = recordOf(ask, this.#links > 0);
    if (record) this.#changes.asks.set(ask.id, record);
  }

  #settled({ ask, outcome }: Settled): void {
    if (ask.kind === "read") return;
    if (isCounted(ask) && outcome.type === "refused") this.#count(ask, true);
    this.#changes.asks.set(ask.id, null);
  }

  #count(ask: Counted, isUndone: boolean): void {
    const { map, key } = ask.op;
    const name = nameOf(ask.op);
    const known = this.#counts.get(name) ?? { inc: 0, dec: 0 };
    const count = { map, key, ...counted(known, ask, isUndone) };
    this.#counts.set(name, count);
    this.#changes.counts.set(name, count);
  }

  /** All that happens in one go is in one transaction. */
  #writeSoon(): void {
    this.#writing ??= Promise.resolve().then(() => this.#write());
  }

  async #write(): Promise<void> {
    const changes = this.#changes;
    this.#changes = noChanges();
    try {
      await this.#store.write(changes);
      this.#hasFailed = false;
    } catch {
      this.#hasFailed = true;
      this.#changes = joined(changes, this.#changes);
    }
    this.#writing = null;
    if (!this.#hasFailed && isAny(this.#changes)) this.#writeSoon();
  }
}

const noChanges = (): Changes => ({
  exposedBelow: null,
  partitionCount: null,
  asks: new Map(),
  counts: new Map(),
  adopted: new Set(),
});

const joined = (a: Changes, b: Changes): Changes => ({
  exposedBelow: b.exposedBelow ?? a.exposedBelow,
  partitionCount: b.partitionCount ?? a.partitionCount,
  asks: new Map([...a.asks, ...b.asks]),
  counts: new Map([...a.counts, ...b.counts]),
  adopted: new Set([...a.adopted, ...b.adopted]),
});

const isAny = ({ exposedBelow, partitionCount, asks, counts, adopted }: Changes): boolean =>
  exposedBelow !== null || partitionCount !== null || asks.size + counts.size + adopted.size > 0;
