import type { PartitionId } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import type { RowStore } from "../../src/core/rows/row-store.ts";

const ALL = { rowsMax: 1_000_000, bytesMax: 1e12 };

export const listOf = (store: RowStore, partitionId: PartitionId): readonly Row[] =>
  store.page(partitionId, null, ALL).rows.map(({ row }) => row);
