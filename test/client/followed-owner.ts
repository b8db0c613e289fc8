/** The owner of a set and a counter, to which others write, too. */
import { digestOf } from "../../src/data/bucket-digest.ts";
import { equalBytes } from "../../src/data/bytes.ts";
import { Epoch, Seq } from "../../src/data/ids.ts";
import { isVisible } from "../../src/data/content.ts";
import { compareRows, type Row } from "../../src/data/row.ts";
import type { ChangedPart } from "../../src/protocol/subscription-messages.ts";
import { jsonOf, nameOf, P, SALT, THEIRS, totalsOf, type Stored } from "./followed-steps.ts";

/** What is on its way to who follows: changes, or the question whether what it has is the same. */
export type Telling = ChangedPart | { readonly compare: object };

interface OwnerPort {
  readonly now: () => number;
  readonly note: (what: string) => void;
}

export class Owner {
  readonly told: Telling[] = [];
  /** Whatever others' sides of the counter have been. */
  readonly sides = { inc: new Set([0]), dec: new Set([0]) };
  #reading: { readonly from: number; readonly left: readonly string[] | null } | null = null;
  readonly #port: OwnerPort;
  readonly #rows = new Map<string, Stored>();
  readonly #before = new Map<string, Row>();
  #seq = 0;
  readonly #theirs = { inc: 0, dec: 0 };

  constructor(port: OwnerPort) {
    this.#port = port;
  }

  get isReading(): boolean {
    return this.#reading !== null;
  }

  counted(amount: number): void {
    const side = amount < 0 ? "dec" : "inc";
    this.#theirs[side] += Math.abs(amount);
    this.sides[side].add(this.#theirs[side]);
    this.merge(totalsOf(THEIRS, this.#theirs));
  }

  /** All of it is told anew, row by row. */
  tellWhole(): void {
    this.#tellAnew(this.#seq);
  }

  #tellAnew(from: number): void {
    this.#reading = { from, left: [...this.#rows.keys()] };
    this.#send([], { replaces: { count: 1, which: [0] }, position: null });
  }

  get visible(): readonly Row[] {
    return [...this.#rows.values()].flatMap(({ row }) =>
      isVisible(row, this.#port.now()) ? row : [],
    );
  }

  tagsOf(json: string): readonly Row["stamp"][] {
    return this.visible.flatMap((row) => (jsonOf(row) === json ? row.stamp : []));
  }

  merge(rows: readonly Row[]): boolean {
    const changed = rows.filter((row) => {
      const known = this.#rows.get(nameOf(row));
      if (known && compareRows(known.row, row) >= 0) return false;
      if (known) this.#before.set(nameOf(row), known.row);
      this.#rows.set(nameOf(row), { row, seq: ++this.#seq });
      return true;
    });
    if (changed.length > 0 && !this.#reading) this.#send(changed, {});
    return changed.length === rows.length;
  }

  /** The owner was lost, and with it what nobody else had; who follows is asked what it has. */
  lose(index: number): void {
    const names = [...this.#rows.keys()];
    const name = names[index % Math.max(1, names.length)];
    if (name === undefined) return;
    const row = this.#before.get(name);
    this.#port.note(`lost ${this.#rows.get(name)?.row.kind}`);
    if (row) this.#rows.set(name, { row, seq: ++this.#seq });
    else this.#rows.delete(name);
    this.#reading = { from: this.#seq, left: null };
    this.told.push({ compare: this.#reading });
  }

  #send(rows: readonly Row[], part: Partial<ChangedPart>): void {
    const position = { since: Epoch(1), seq: Seq(this.#seq) };
    this.told.push({ partitionId: P, position, replaces: null, rows, ...part });
  }

  compare(reading: object, buckets: Uint8Array): void {
    if (this.#reading !== reading) return;
    const count = buckets.length / 6;
    const isSame = equalBytes(buckets, digestOf(this.visible, count, SALT));
    this.#port.note(isSame ? "the same" : "not the same");
    const { from } = this.#reading;
    if (isSame) this.#reading = { from, left: [] };
    else this.#tellAnew(from);
  }

  read(): void {
    const { from, left } = this.#reading ?? { from: 0, left: null };
    if (!left) return;
    const [next, ...rest] = left;
    if (next !== undefined) {
      const row = this.#rows.get(next)?.row;
      this.#reading = { from, left: rest };
      return this.#send(row && isVisible(row, this.#port.now()) ? [row] : [], { position: null });
    }
    this.#reading = null;
    const since = [...this.#rows.values()].filter(({ seq }) => seq > from);
    this.#port.note(since.length > 0 ? "changed while it was read" : "whole");
    this.#send(
      since.map(({ row }) => row),
      {},
    );
  }
}
