/** What clients of a model were told is done, and so must be there. */
import { compareRows, type Row } from "../../src/data/row.ts";
import type { State } from "./state.ts";
import type { Asked } from "./world.ts";

export interface Told {
  /** The greatest of each key that came with a stamp. */
  readonly rows: readonly Row[];
  /** Those among them that every complete copy has acknowledged, too. */
  readonly backed: ReadonlySet<Row>;
  /** What its owner has stamped: what a key may have now. */
  readonly keys: readonly Key[];
}

export interface Key {
  readonly row: Pick<Row, "map" | "key" | "kind" | "sub">;
  readonly values: readonly (Uint8Array | null)[];
}

export function toldOf(
  asked: readonly Asked[],
  { acked, unasked }: Pick<State, "acked" | "unasked">,
): Told {
  const rows = new Map<string, Row>();
  const keys = new Map<string, Key>();
  const backed = new Set<Row>();
  for (const [index, one] of asked.entries()) {
    if (one.type === "operator") continue;
    const { map, key, value } = one.op;
    const isAcked = ((acked >> index) & 1) === 1;
    if (one.type === "front") {
      // Asked one after the other: what was acknowledged last stands, or what is being written.
      const before = keys.get(key)?.values ?? [];
      const isAsked = ((unasked >> index) & 1) === 0;
      const values = isAcked ? [value] : [...before, value];
      const row = { map, key, kind: "lww", sub: "" } as const;
      if (isAcked || (isAsked && before.length > 0)) keys.set(key, { row, values });
    } else if (isAcked) {
      const row: Row = { ...one.op, kind: "lww", sub: "" };
      const before = rows.get(key);
      if (!before || compareRows(row, before) > 0) rows.set(key, row);
      if (one.ack === "backup") backed.add(row);
    }
  }
  return { rows: [...rows.values()], backed, keys: [...keys.values()] };
}
