/** What an actor's effects bring back with their answers. Types only. */
import type { Row } from "../../data/row.ts";
import type { Entry } from "../../protocol/journal.ts";
import type { ReadResult } from "../../protocol/ops.ts";
import type { ActorName, Frozen } from "./activation.ts";

export type ActorTag = { readonly for: "actor"; readonly name: ActorName } & Step;

type Step =
  | { readonly step: "read" }
  /** `after`: read on behind this entry; null: those were the last. */
  | { readonly step: "replay"; readonly after: number | null; readonly isBased: boolean }
  | { readonly step: "reenter"; readonly rows: readonly Row[] }
  | { readonly step: "decide"; readonly n: number }
  | { readonly step: "recall"; readonly n: number; readonly sequence: number }
  | { readonly step: "list"; readonly n: number }
  | ({ readonly step: "append" } & Appending)
  | { readonly step: "snapshot"; readonly row: Row };

/** An entry on its way to the disk, and what holds once it is there. */
export interface Appending {
  readonly n: number;
  readonly row: Row;
  readonly entry: Entry;
  readonly result: ReadResult;
  readonly state: unknown;
  readonly frozen: Pick<Frozen, "schemaVersion" | "state"> | null;
}
