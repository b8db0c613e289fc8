/** An actor's journal as it is stored: its snapshot, and its entries in the order of their numbers. */
import type { PartitionId } from "../../data/ids.ts";
import type { Of, Row } from "../../data/row.ts";
import { sequenceSub } from "../../data/sequence.ts";
import type { RowStore } from "./row-store.ts";

export interface ReadJournalEffect<Tag> {
  readonly type: "read-journal";
  readonly partitionId: PartitionId;
  readonly of: Of;
  /** Entries behind this number; null: behind the snapshot, which is answered, too. */
  readonly after: number | null;
  readonly tag: Tag;
}

export interface JournalRead {
  readonly snapshot: Row | null;
  readonly entries: readonly Row[];
  /** No entry follows. */
  readonly done: boolean;
}

/** Read at a time. */
const PAGE = { rowsMax: 512, bytesMax: 1024 * 1024 };

export function readJournal(
  store: RowStore,
  { partitionId, of: { map, key }, after: from }: ReadJournalEffect<unknown>,
): JournalRead {
  const identity = { map, key, kind: "snapshot", sub: "" } as const;
  const [stored] = from === null ? store.read(partitionId, [identity]) : [];
  const snapshot = stored?.row ?? null;
  const after = sequenceSub(from ?? snapshot?.stamp.millis ?? 0);
  const page = store.range(partitionId, { map, key, kind: "event", prefix: "", after, ...PAGE });
  return { snapshot, entries: page.rows.map(({ row }) => row), done: page.done };
}
