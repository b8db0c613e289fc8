import { Digest, type DigestKey } from "../../data/digest.ts";
import { compareIdentity, identityOf, type Identity, type Row } from "../../data/row.ts";
import type { Page } from "./row-store.ts";

/**
 * The digest of a table's rows up to a cursor in key order. Whoever reads the table past the cursor
 * moves it on; whoever writes at or below it replaces rows. Writes above it need not: they are met
 * later.
 */
export class DigestTracker {
  readonly key: DigestKey;
  readonly #digest: Digest;
  #upTo: Identity | "end" | null = null;

  constructor(key: DigestKey) {
    this.key = key;
    this.#digest = new Digest(key);
  }

  /** From where to read on; "end": the digest is complete and stays so. */
  get upTo(): Identity | "end" | null {
    return this.#upTo;
  }

  /** Rows read from above `after`. Ignored if the cursor has not come to `after`: rows would be missing. */
  pass(after: Identity | null, { rows, done }: Page): void {
    if (this.#upTo === "end" || (after !== null && !this.covers(after))) return;
    let last: Row | undefined;
    for (const { row } of rows) {
      if (last === undefined && this.covers(row)) continue;
      this.#digest.add(row);
      last = row;
    }
    if (done) this.#upTo = "end";
    else if (last) this.#upTo = identityOf(last);
  }

  replace(old: Row | undefined, now: Row): void {
    if (!this.covers(now)) return;
    if (old) this.#digest.remove(old);
    this.#digest.add(now);
  }

  remove(row: Row): void {
    if (this.covers(row)) this.#digest.remove(row);
  }

  buckets(): Uint8Array | null {
    return this.#upTo === "end" ? this.#digest.buckets() : null;
  }

  /** Rows that it does not cover yet it meets later, whatever is written there meanwhile. */
  covers(identity: Identity): boolean {
    if (this.#upTo === null) return false;
    return this.#upTo === "end" || compareIdentity(identity, this.#upTo) <= 0;
  }
}
