/**
 * What outlives a page: its operations that are not settled, and those of other pages of its origin that ended before theirs
 * were. One page at a time has the lock of a client that is no more, and writes down what that has left as its own.
 */
import { GridError, notKept } from "../errors.ts";
import type { PersistencePort } from "../host.ts";
import type { Kept } from "../machine/ask.ts";
import type { Client, ClientEffect } from "../machine/client-state.ts";
import { Journal } from "./journal.ts";
import { keptOf } from "./records.ts";
import { Store, type Found } from "./store.ts";
import { locksOfPage, WriterLocks } from "./writer-locks.ts";

/** Who goes on with it. */
export interface Heir {
  /** So many operations may be adopted now. */
  readonly room: () => number;
  /** From now on this client sends them. */
  readonly adopt: (kept: readonly Kept[]) => void;
}

export class Persistence implements PersistencePort {
  readonly found: Found;
  readonly #writer: string;
  readonly #store: Store;
  readonly #locks: WriterLocks;
  readonly #journal: Journal;
  #over = false;

  /** `grid`: tells it apart from other grids. `writer`: id of this client alone. */
  static async open(grid: string, writer: string): Promise<Persistence> {
    const locksHere = locksOfPage();
    if (!locksHere || !("indexedDB" in globalThis))
      throw new GridError(notKept("no page of https"));
    const locks = new WriterLocks(locksHere, grid);
    try {
      await locks.hold(writer);
      const store = await Store.open(grid, writer);
      return new Persistence(writer, store, locks, await store.found());
    } catch (error) {
      locks.close();
      throw new GridError(notKept(String(error)));
    }
  }

  private constructor(writer: string, store: Store, locks: WriterLocks, found: Found) {
    this.#writer = writer;
    this.#store = store;
    this.#locks = locks;
    this.found = found;
    this.#journal = new Journal(store);
  }

  /** Resolves when what those have left who are no more is adopted. */
  async begin(heir: Heir): Promise<void> {
    const { others } = this.found;
    await this.#locks.begin(this.#writer, others, (writer) => this.#adopt(writer, heir));
  }

  hear(effect: ClientEffect, client: Client): void {
    this.#journal.hear(effect, client);
    if (effect.type === "over") void this.#close();
  }

  get saving(): "on" | "failed" {
    return this.#journal.hasFailed ? "failed" : "on";
  }

  async #adopt(writer: string, { room, adopt }: Heir): Promise<boolean> {
    const left = await this.#store.leftBy(writer).catch(() => null);
    const kept = left && keptOf(left, writer);
    if (!kept || this.#over || kept.length > room()) return false;
    adopt(kept);
    await this.#journal.adopted(writer);
    return true;
  }

  /** Others adopt what is left. */
  async #close(): Promise<void> {
    this.#over = true;
    await this.#journal.done();
    this.#locks.close();
    this.#store.close();
  }
}
