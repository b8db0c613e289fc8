/**
 * Writes down what is not settled, so that a page that ends loses none of it, and what was told. What happens while a
 * transaction is under way is written in the next one.
 */
import type { Row } from "../../data/row.ts";
import { STORAGE_RETRY_MS } from "./limits.ts";
import type { Client, ClientEffect, KnownGrid } from "../machine/client-state.ts";
import { isCounted, nameOf, type Ask, type Counted, type Settled } from "../machine/ask.ts";
import { everyAsk } from "../machine/outbox-state.ts";
import { isAny, joined, noChanges } from "./changes.ts";
import { counted, recordOf, type CountRecord } from "./records.ts";
import type { Store } from "./store.ts";

export class Journal {
  readonly #store: Pick<Store, "write">;
  readonly #counts = new Map<string, CountRecord>();
  /** Operations that are written down, or are being. */
  readonly #written = new Set<number>();
  #changes = noChanges();
  #writing: Promise<void> | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Those of whom what was adopted is not written down: they are told when it is. */
  #adopting: (() => void)[] = [];
  /** Connections that work: what is asked for may be sent at once. */
  #links = 0;
  #exposedBelow = 0;
  #known: KnownGrid | null = null;
  #hasFailed = false;
  readonly #failed = Promise.withResolvers<void>();

  constructor(store: Pick<Store, "write">) {
    this.#store = store;
  }

  /** What was to be written is not. It is tried again after a while, and with what comes next. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** `client`: as it is after it. */
  hear(effect: ClientEffect, client: Client): void {
    switch (effect.type) {
      case "taken":
        this.#asked(effect.ask);
        break;
      case "restamped":
        for (const write of effect.writes) this.#put(write);
        break;
      case "settled":
        // What was not settled when all was closed is left to others.
        if (client.over) return;
        for (const settled of effect.all) this.#settled(settled);
        break;
      case "up": {
        this.#links++;
        const { aheadMs } = client.outbox.clock;
        this.#exposedBelow = client.nextId;
        this.#changes.exposedBelow = client.nextId;
        this.#known = { partitionCount: client.router.partitionCount, aheadMs };
        this.#changes.known = this.#known;
        break;
      }
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
    const written = Promise.withResolvers<void>();
    this.#adopting.push(written.resolve);
    this.#writeSoon();
    await written.promise;
  }

  /** Resolves with `work`, or as soon as something cannot be written: nobody can wait for as long as a disk is full. */
  async orFailed(work: Promise<void>): Promise<void> {
    await Promise.race([work, this.#failed.promise]);
  }

  /** `row` null: it is gone. */
  told(query: string, name: string, row: Row | null): void {
    const known = this.#changes.told.get(query);
    if (known) known.set(name, row);
    else this.#changes.told.set(query, new Map([[name, row]]));
    this.#writeSoon();
  }

  /** Nothing that was written is there any more. */
  lost(client: Client): void {
    this.#hasFailed = true;
    this.#written.clear();
    for (const ask of everyAsk(client.outbox))
      for (const one of isCounted(ask) ? [ask, ...ask.riders] : [ask]) this.#put(one);
    for (const [name, count] of this.#counts) this.#changes.counts.set(name, count);
    this.#changes.exposedBelow = this.#exposedBelow;
    this.#changes.known = this.#known;
    this.#writeSoon();
  }

  /** At once, also beside a transaction that is under way: the page may be about to go. */
  writeNow(): void {
    if (isAny(this.#changes)) void this.#write();
  }

  /** The last: resolves when it is written, or could not be. */
  async end(writer: string): Promise<void> {
    await this.#writing;
    clearTimeout(this.#retry);
    if (this.#written.size + this.#changes.asks.size === 0) this.#changes.adopted.add(writer);
    if (isAny(this.#changes)) await this.#write();
    // Who could not write it down leaves it where it was.
    for (const written of this.#adopting) written();
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
    const isNew = this.#changes.asks.has(ask.id) && !this.#written.has(ask.id);
    if (isNew) this.#changes.asks.delete(ask.id);
    else this.#changes.asks.set(ask.id, null);
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
    this.#writing ??= Promise.resolve()
      .then(() => this.#writeAll())
      .finally(() => (this.#writing = null));
  }

  async #writeAll(): Promise<void> {
    clearTimeout(this.#retry);
    do {
      // oxlint-disable-next-line no-await-in-loop -- one transaction at a time
      await this.#write();
    } while (!this.#hasFailed && isAny(this.#changes));
    if (this.#hasFailed) this.#retry = setTimeout(() => this.#writeSoon(), STORAGE_RETRY_MS);
  }

  async #write(): Promise<void> {
    const [changes, adopting] = [this.#changes, this.#adopting];
    [this.#changes, this.#adopting] = [noChanges(), []];
    const added = [...changes.asks].flatMap(([id, ask]) =>
      ask && !this.#written.has(id) ? id : [],
    );
    for (const id of added) this.#written.add(id);
    try {
      await this.#store.write(changes);
      this.#hasFailed = false;
      for (const [id, ask] of changes.asks) if (!ask) this.#written.delete(id);
      for (const written of adopting) written();
    } catch {
      this.#hasFailed = true;
      this.#failed.resolve();
      this.#changes = joined(changes, this.#changes);
      this.#adopting.push(...adopting);
      for (const id of added) this.#written.delete(id);
      for (const [id, ask] of this.#changes.asks)
        if (!ask && !this.#written.has(id)) this.#changes.asks.delete(id);
    }
  }
}
