/** What somebody was told is durable, and how much of it the owner must have. */
import { identityKey } from "../../src/core/rows/identity-key.ts";
import { compareRows, type Row } from "../../src/data/row.ts";

interface Told {
  /** Each that was acknowledged, the greatest last. */
  rows: readonly Row[];
  /** The greatest of these that was acknowledged as backed up, too, or `undefined`. */
  backedUp: readonly Row[];
  /** The greatest that the owner has had, or had to have. */
  due: Row | undefined;
}

type Test = (row: Row) => boolean;

/** By `identityKey`. */
export class Acked {
  readonly #told = new Map<string, Told>();
  /** Of each key what was stored only at a node that is gone for ever: whoever acknowledges it later is late. */
  readonly #buried = new Map<string, Row>();
  /** Of these, those that an operator did without. */
  readonly #givenUp = new Map<string, Row>();

  keys(): Iterable<string> {
    return this.#told.keys();
  }

  greatest(key: string): Row | undefined {
    return this.#told.get(key)?.rows.at(-1);
  }

  due(key: string): Row | undefined {
    return this.#told.get(key)?.due;
  }

  /** `isOwed`: the owner may lack it. */
  add(row: Row, isOwed: boolean): void {
    const told = this.#of(identityKey(row));
    told.rows = inserted(told.rows, row);
    if (!isOwed) told.due = greater(told.due, row);
  }

  addBackedUp(row: Row): void {
    const told = this.#of(identityKey(row));
    told.backedUp = inserted(told.backedUp, row);
  }

  isBuried(row: Row): boolean {
    return isIn(this.#buried, row);
  }

  /** Whatever is buried by now. */
  giveUpBuried(): void {
    for (const [key, row] of this.#buried) this.#givenUp.set(key, row);
  }

  isGivenUp(row: Row): boolean {
    return isIn(this.#givenUp, row);
  }

  /** The greatest that the owner must have and that was acknowledged as backed up. */
  backedUp(key: string): Row | undefined {
    const { due, backedUp = [] } = this.#told.get(key) ?? {};
    return due && backedUp.findLast((row) => compareRows(row, due) <= 0);
  }

  /** What was backed up and is not there is backed up no more. */
  giveUp(key: string, isThere: Test): void {
    const told = this.#of(key);
    told.backedUp = told.backedUp.filter(isThere);
  }

  /** Another owner, which has only these. */
  beginAnew(key: string, has: Test): void {
    const told = this.#of(key);
    told.due = told.rows.findLast(has);
  }

  /** It may have got more of what it lacks. */
  catchUp(key: string, has: Test): void {
    const told = this.#of(key);
    const { rows, due } = told;
    told.due = rows.findLast((row) => (due && compareRows(row, due) <= 0) || has(row)) ?? due;
  }

  /** Nothing is owed any more. */
  demand(key: string): void {
    const told = this.#of(key);
    told.due = told.rows.at(-1);
  }

  /** A node is gone that held `stored`; what nobody else has is gone with it. Says how many rows that are. */
  bury(key: string, stored: Row, isElsewhere: Test): readonly Row[] {
    if (!isElsewhere(stored)) this.#buried.set(key, greater(this.#buried.get(key), stored));
    const told = this.#of(key);
    const gone = told.rows.filter((row) => !isElsewhere(row));
    told.rows = told.rows.filter(isElsewhere);
    told.backedUp = told.backedUp.filter(isElsewhere);
    const { due } = told;
    told.due = due && told.rows.findLast((row) => compareRows(row, due) <= 0);
    return gone;
  }

  #of(key: string): Told {
    const told = this.#told.get(key) ?? { rows: [], backedUp: [], due: undefined };
    this.#told.set(key, told);
    return told;
  }
}

function isIn(rows: ReadonlyMap<string, Row>, row: Row): boolean {
  const found = rows.get(identityKey(row));
  return found !== undefined && compareRows(found, row) >= 0;
}

const greater = (a: Row | undefined, b: Row): Row => (a && compareRows(a, b) >= 0 ? a : b);

function inserted(rows: readonly Row[], row: Row): readonly Row[] {
  const last = rows.at(-1);
  if (!last || compareRows(row, last) > 0) return [...rows, row];
  return [...rows, row].toSorted(compareRows);
}
