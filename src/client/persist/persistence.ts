/**
 * What outlives a page: its operations that are not settled, and those of other pages of its origin that ended before theirs
 * were; and what its subscriptions were told. One page at a time has the lock of a client that is no more, and writes down what
 * that has left as its own before it lets go of it.
 */
import { decodeJson } from "../../protocol/values.ts";
import type { Desk } from "../desk.ts";
import { GridError } from "../errors.ts";
import type { Host, KeptQuery, PersistencePort } from "../host.ts";
import type { Entries } from "../entries.ts";
import type { Client, ClientEffect } from "../machine/client-state.ts";
import { Journal } from "./journal.ts";
import { adoptAll, keptOf } from "./records.ts";
import { Store, type Found } from "./store.ts";
import { locksOfPage, WriterLocks } from "./writer-locks.ts";

/** Who goes on with what others have left. */
interface Heir {
  readonly host: Host;
  readonly desk: Desk;
  readonly entries: Entries;
}

declare const addEventListener: (
  type: "pagehide",
  listener: () => void,
  options: { readonly signal: AbortSignal },
) => void;

export class Persistence implements PersistencePort {
  readonly found: Found;
  readonly #writer: string;
  readonly #heir: Heir;
  readonly #store: Store;
  readonly #locks: WriterLocks;
  readonly #journal: Journal;
  readonly #end = new AbortController();

  /** From now on it hears what its client does. `address`: of the grid. Rejects with STORAGE. */
  static async open(address: string, heir: Heir): Promise<Persistence> {
    const { cluster, replicaId: writer } = heir.host.client.settings;
    const grid = `godwit ${address} ${cluster}`;
    const pageLocks = locksOfPage();
    if (!pageLocks || !("indexedDB" in globalThis))
      throw notKept("never", "it takes a page from https or localhost");
    const locks = new WriterLocks(pageLocks, grid);
    const store = new Store(grid, writer, () => here?.lost());
    let here: Persistence | undefined;
    try {
      await locks.hold(writer);
      here = new Persistence(await store.begin(), { writer, heir, store, locks });
      heir.host.persistence = here;
      const { over } = heir.host.client;
      if (over) here.hear({ type: "over", error: over }, heir.host.client);
      return here;
    } catch (error) {
      locks.close();
      store.close();
      throw notKept("later", String(error));
    }
  }

  private constructor(found: Found, { writer, heir, store, locks }: Parts) {
    this.found = found;
    this.#writer = writer;
    this.#heir = heir;
    this.#store = store;
    this.#locks = locks;
    this.#journal = new Journal(store);
    const { signal } = this.#end;
    addEventListener("pagehide", () => this.#journal.writeNow(), { signal });
  }

  /** Resolves when what those have left who are no more is adopted, or cannot be written down now. */
  async begin(): Promise<void> {
    const adopting = this.#locks.begin(this.#writer, this.found.others, (writer) =>
      this.#adopt(writer),
    );
    await this.#journal.orFailed(adopting);
  }

  hear(effect: ClientEffect, client: Client): void {
    this.#journal.hear(effect, client);
    if (effect.type === "up" && this.#isAnother(client)) void this.#forgetTold();
    if (effect.type === "over") void this.#close();
  }

  lost(): void {
    this.#journal.lost(this.#heir.host.client);
  }

  get saving(): "on" | "failed" {
    return this.#journal.hasFailed ? "failed" : "on";
  }

  async follow(text: string): Promise<KeptQuery> {
    const rows = await this.#store.openQuery(text, Date.now()).catch(() => []);
    return { rows, keep: (name, row) => this.#journal.told(text, name, row) };
  }

  async #adopt(writer: string): Promise<boolean> {
    const { host, desk, entries } = this.#heir;
    const left = await this.#store.leftBy(writer).catch(() => null);
    if (!left || this.#end.signal.aborted) return false;
    const { outbox, settings } = host.client;
    const kept = keptOf(left, writer);
    // What one page has left fits at least where there is nothing else.
    if (outbox.size > 0 && outbox.size + kept.length > settings.outboxMax) return false;
    adoptAll(kept, (one) => {
      const asked = desk.ask({ type: "adopt", kept: one }, entries.restamped);
      const value = "value" in one.op ? one.op.value : null;
      const decoded = value && decodeJson(value, "value");
      void entries.follow(asked, decoded?.ok ? decoded.value : undefined).catch(thrownUnlessClosed);
      return asked.ask.id;
    });
    await this.#journal.adopted(writer);
    return true;
  }

  /** A grid that has begun anew under its address. */
  #isAnother({ router }: Client): boolean {
    const { known } = this.found;
    return known !== null && known.partitionCount !== router.partitionCount;
  }

  /** What is told from now on is kept: it is compared with nothing. */
  async #forgetTold(): Promise<void> {
    await this.#store.forgetTold().catch(() => undefined);
  }

  /** Others adopt what is left. */
  async #close(): Promise<void> {
    this.#end.abort();
    await this.#journal.end(this.#writer);
    this.#locks.close();
    this.#store.close();
  }
}

/** Nobody holds the promise of what was adopted, and whoever closes leaves it to others. */
function thrownUnlessClosed(error: unknown): void {
  if (!(error instanceof GridError && error.code === "CLOSED")) throw error;
}

function notKept(retry: GridError["retry"], why: string): GridError {
  const message = `persist: nothing can be kept here: ${why}`;
  return new GridError({ code: "STORAGE", message, retry, data: { field: "persist" } });
}

interface Parts {
  readonly writer: string;
  readonly heir: Heir;
  readonly store: Store;
  readonly locks: WriterLocks;
}
