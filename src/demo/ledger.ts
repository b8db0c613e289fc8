/** What the last acknowledged write of each key has left: `verify.ts` holds the grid to that. */
import { readFile, writeFile } from "node:fs/promises";
import * as v from "valibot";

/** By key: the number of the write, null where it was a delete. */
export type Claims = Readonly<Record<string, number | null>>;

const CLAIMS: v.GenericSchema<unknown, Claims> = v.record(v.string(), v.nullable(v.number()));

interface Entry {
  readonly n: number;
  readonly left: "value" | "nothing" | "unknown";
}

export class Ledger {
  readonly #entries = new Map<string, Entry>();

  /** Acks come in any order; of one key's writes the one with the highest number stands. */
  acked(key: string, n: number, deletes: boolean): void {
    this.#note(key, { n, left: deletes ? "nothing" : "value" });
  }

  /** Refused or never answered: it may have been applied or not, so nothing is claimed. */
  doubtful(key: string, n: number): void {
    this.#note(key, { n, left: "unknown" });
  }

  #note(key: string, entry: Entry): void {
    const known = this.#entries.get(key);
    if (!known || known.n < entry.n) this.#entries.set(key, entry);
  }

  async save(path: string): Promise<void> {
    const claims = [...this.#entries]
      .filter(([, { left }]) => left !== "unknown")
      .map(([key, { n, left }]) => [key, left === "value" ? n : null]);
    await writeFile(path, JSON.stringify(Object.fromEntries(claims)));
  }
}

export const readClaims = async (path: string): Promise<Claims> =>
  v.parse(CLAIMS, JSON.parse(await readFile(path, "utf8")));
