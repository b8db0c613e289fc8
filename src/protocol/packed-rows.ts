/** Rows between nodes: scanned ones grouped by map, changed ones each with their key. */
import { err, ok, type Result } from "../data/result.ts";
import type { Row, RowKind } from "../data/row.ts";
import {
  bytesProblem,
  counterProblem,
  isProblem,
  keyProblem,
  listProblem,
  malformed,
  mapProblem,
  nodeProblem,
  valueProblem,
  within,
  type Problem,
} from "./checks.ts";
import { expiryProblem, kindProblem, millisProblem, subProblem } from "./row-fields.ts";
import {
  isCounter,
  isExpiry,
  isKey,
  isKind,
  isMap,
  isMillis,
  isNode,
  isSub,
  isValue,
} from "./guards.ts";
import { isRowOf } from "./row-check.ts";
import {
  CHUNK_ROWS_MAX,
  DELTA_ROWS_MAX,
  ENVELOPE_BYTES_MAX,
  ENVELOPE_ITEMS_MAX,
} from "./limits.ts";
import type { Layout } from "./layout.ts";
import { diagnose, diagnoseFields, unpackList } from "./packed.ts";
import { isFields, readValue } from "./reader.ts";
import { writeValue } from "./writer.ts";

/** Rows of one map and kind that follow each other; `data` is a list of `ROW_LAYOUT`. */
export interface MapStateChunk {
  readonly mapName: string;
  readonly data: Uint8Array;
  readonly mapType: RowKind;
}

/** A changed row; `entry` is `ENTRY_LAYOUT`. */
export interface DeltaOp {
  readonly mapName: string;
  readonly key: string;
  readonly entry: readonly unknown[];
}

const STAMPED_VALUE: Layout = {
  millis: millisProblem,
  counter: counterProblem,
  node: nodeProblem,
  value: valueProblem,
  expiresAt: expiryProblem,
};

export const CHUNK_FIELDS: Layout = {
  mapName: mapProblem,
  data: (data) => bytesProblem(data, 0, ENVELOPE_BYTES_MAX),
  mapType: kindProblem,
};
export const ROW_LAYOUT: Layout = { key: keyProblem, sub: subProblem, ...STAMPED_VALUE };

export const DELTA_FIELDS: Layout = {
  mapName: mapProblem,
  key: keyProblem,
  entry: (entry) => listProblem(entry, 0, CHUNK_ROWS_MAX),
};
export const ENTRY_LAYOUT: Layout = { kind: kindProblem, sub: subProblem, ...STAMPED_VALUE };

// ------------------------------------------------------------------ scanned rows

/** Keeps their order: a chunk ends where the map or the kind changes. */
export function packRows(rows: readonly Row[]): MapStateChunk[] {
  const chunks: MapStateChunk[] = [];
  let from = 0;
  for (let first = rows[0]; first; first = rows[from]) {
    const { map, kind } = first;
    const packed: unknown[] = [];
    for (let row = rows[from]; row?.map === map && row.kind === kind; row = rows[++from])
      packed.push(packRow(row));
    chunks.push({ mapName: map, data: writeValue(packed), mapType: kind });
  }
  return chunks;
}

const packRow = ({ key, sub, stamp, value, expiresAt }: Row): unknown[] => [
  key,
  sub,
  stamp.millis,
  stamp.counter,
  stamp.node,
  value,
  expiresAt,
];

export function unpackRows(wire: unknown): Result<readonly Row[], Problem> {
  const rows: Row[] = [];
  const chunks = unpackList(wire, CHUNK_ROWS_MAX, (item) => {
    const chunk = unpackChunk(item, CHUNK_ROWS_MAX - rows.length);
    if (!chunk.ok) return chunk.error;
    for (const row of chunk.value) rows.push(row);
    return chunk;
  });
  return chunks.ok ? ok(rows) : chunks;
}

/** `rowsMax`: what the chunks before it left of the bound. */
function unpackChunk(wire: unknown, rowsMax: number): Result<readonly Row[], Problem> {
  if (!isFields(wire)) return err(diagnoseFields(wire, CHUNK_FIELDS));
  const { mapName, data, mapType } = wire;
  if (!isMap(mapName) || !(data instanceof Uint8Array) || !isKind(mapType))
    return err(diagnoseFields(wire, CHUNK_FIELDS));
  const list = readValue(data, ENVELOPE_ITEMS_MAX);
  const rows = list.ok
    ? unpackList(list.value, rowsMax, (item) => unpackRow(item, mapName, mapType))
    : list;
  return rows.ok ? rows : err(within(rows.error, ".data"));
}

function unpackRow(wire: unknown, map: string, kind: RowKind): Row | Problem {
  if (!Array.isArray(wire) || wire.length !== 7) return diagnose(wire, ROW_LAYOUT);
  const [key, sub, millis, counter, node, value, expiresAt]: unknown[] = wire;
  const right = isKey(key) && isSub(sub) && isMillis(millis) && isCounter(counter);
  if (!right || !isNode(node) || !isValue(value) || !isExpiry(expiresAt))
    return diagnose(wire, ROW_LAYOUT);
  return checked({ map, key, kind, sub, stamp: { millis, counter, node }, value, expiresAt });
}

// ------------------------------------------------------------------ changed rows

export const packDeltas = (rows: readonly Row[]): DeltaOp[] => rows.map(packDelta);

const packDelta = (row: Row): DeltaOp => ({
  mapName: row.map,
  key: row.key,
  entry: packEntry(row),
});

/** As `ENTRY_LAYOUT`. */
export const packEntry = ({ kind, sub, stamp, value, expiresAt }: Omit<Row, "map">): unknown[] => [
  kind,
  sub,
  stamp.millis,
  stamp.counter,
  stamp.node,
  value,
  expiresAt,
];

export const unpackDeltas = (wire: unknown): Result<readonly Row[], Problem> =>
  unpackList(wire, DELTA_ROWS_MAX, unpackDelta);

function unpackDelta(wire: unknown): Row | Problem {
  if (!isFields(wire)) return diagnoseFields(wire, DELTA_FIELDS);
  const { mapName: map, key, entry } = wire;
  if (!isMap(map) || !isKey(key) || !Array.isArray(entry))
    return diagnoseFields(wire, DELTA_FIELDS);
  const row = unpackEntry(entry, { map, key });
  const right = isProblem(row) ? row : checked(row);
  return isProblem(right) ? within(right, ".entry") : right;
}

/** Whatever is known beside it: the key, and the map where that is not told once for all. */
export function unpackEntry<Known extends { readonly key: string }>(
  wire: readonly unknown[],
  known: Known,
): (Known & Omit<Row, "map" | "key">) | Problem {
  if (wire.length !== 7) return diagnose(wire, ENTRY_LAYOUT);
  const [kind, sub, millis, counter, node, value, expiresAt] = wire;
  const right = isKind(kind) && isSub(sub) && isMillis(millis) && isCounter(counter);
  return right && isNode(node) && isValue(value) && isExpiry(expiresAt)
    ? { ...known, kind, sub, stamp: { millis, counter, node }, value, expiresAt }
    : diagnose(wire, ENTRY_LAYOUT);
}

/** A row of which all but its kind is known to be right. A client believes its node. */
export const checked = (row: Row): Row | Problem => (isRowOf(row) ? row : badRow);

const badRow = malformed("a row of its kind");
