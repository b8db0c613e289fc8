/**
 * What an actor leaves behind, as rows: an entry for each command that was executed, by its number, and now and then a
 * snapshot of what all entries up to some number come to. Whatever was stored and cannot be read is found by a checksum.
 */
import { elementHash } from "../data/element-hash.ts";
import { Epoch } from "../data/ids.ts";
import type { Identity, Of, Row } from "../data/row.ts";
import { sequenceIn, sequenceSub } from "../data/sequence.ts";
import { err, ok, type Result } from "../data/result.ts";
import { isElement } from "./guards.ts";
import { COMMAND_IDS_MAX, ENVELOPE_ITEMS_MAX } from "./limits.ts";
import { commandIdProblem } from "./client-calls.ts";
import { readValue } from "./reader.ts";
import { writeValue } from "./writer.ts";

/** Entries are numbered from 1 without a gap. */
export interface Entry {
  readonly sequence: number;
  /** At which its owner became owner. */
  readonly epoch: Epoch;
  readonly atMs: number;
  /** All entries up to this number were at the owner and at every complete copy when this one was made. */
  readonly mark: number;
  /** Events of all entries up to this one. */
  readonly version: number;
  /** null: nothing was executed, an owner has only put its epoch to the journal. */
  readonly commandId: string | null;
  readonly outcome: Executed | Declined;
}

interface Executed {
  readonly type: "executed";
  /** A list and a value, as `encodeJson` makes them. */
  readonly events: Uint8Array;
  readonly reply: Uint8Array;
}

interface Declined {
  readonly type: "declined";
  readonly refusal: string;
  readonly reason: string;
}

export interface Snapshot {
  readonly sequence: number;
  readonly epoch: Epoch;
  readonly version: number;
  /** Of the state, which `upgrade` turns into that of today. */
  readonly schemaVersion: number;
  readonly state: Uint8Array;
  /** The last commands, and the numbers of their entries. */
  readonly ids: readonly (readonly [commandId: string, sequence: number])[];
}

// ------------------------------------------------------------------ rows

export const entryIdentity = ({ map, key }: Of, sequence: number): Identity => ({
  map,
  key,
  kind: "event",
  sub: sequenceSub(sequence),
});

export const entryRow = (of: Of, node: string, entry: Entry): Row => ({
  ...entryIdentity(of, entry.sequence),
  stamp: { millis: entry.epoch, counter: 0, node },
  value: sealed(packEntry(entry)),
  expiresAt: null,
});

/** The same entry, of a later owner. */
export const reEntered = (row: Row, epoch: Epoch, node: string): Row => ({
  ...row,
  stamp: { millis: epoch, counter: 0, node },
});

export const snapshotRow = (of: Of, node: string, snapshot: Snapshot): Row => ({
  ...of,
  kind: "snapshot",
  sub: "",
  stamp: { millis: snapshot.sequence, counter: 0, node },
  value: sealed(packSnapshot(snapshot)),
  expiresAt: null,
});

/** Each row is read by itself: its number and its epoch even where the rest cannot be. */
export function entryOf({ sub, stamp, value }: Row): Result<Entry, "corrupt"> {
  const sequence = sequenceIn(sub) ?? 0;
  const fields = opened(value);
  const entry = fields && unpackEntry(fields);
  return entry ? ok({ ...entry, sequence, epoch: Epoch(stamp.millis) }) : err("corrupt");
}

export function snapshotOf({ stamp, value }: Row): Result<Snapshot, "corrupt"> {
  const fields = opened(value);
  const snapshot = fields && unpackSnapshot(fields);
  return snapshot?.sequence === stamp.millis ? ok(snapshot) : err("corrupt");
}

// ------------------------------------------------------------------ bytes

function sealed(payload: readonly unknown[]): Uint8Array {
  const bytes = writeValue(payload);
  return writeValue([elementHash(bytes), bytes]);
}

function opened(value: Uint8Array | null): readonly unknown[] | null {
  const outer = value && listIn(value);
  const [hash, bytes] = outer ?? [];
  if (!(bytes instanceof Uint8Array) || hash !== elementHash(bytes)) return null;
  return listIn(bytes);
}

function listIn(bytes: Uint8Array): readonly unknown[] | null {
  const value = readValue(bytes, ENVELOPE_ITEMS_MAX);
  return value.ok && Array.isArray(value.value) ? value.value : null;
}

const packEntry = ({ atMs, mark, version, commandId, outcome }: Entry): unknown[] =>
  outcome.type === "executed"
    ? [atMs, mark, version, commandId, outcome.events, outcome.reply]
    : [atMs, mark, version, commandId, outcome.refusal, outcome.reason];

function unpackEntry(fields: readonly unknown[]): Omit<Entry, "sequence" | "epoch"> | null {
  const [atMs, mark, version, commandId, one, other] = fields;
  if (!isCount(atMs) || !isCount(mark) || !isCount(version) || !isCommandId(commandId)) return null;
  const outcome = outcomeOf(one, other);
  return outcome && { atMs, mark, version, commandId, outcome };
}

function outcomeOf(one: unknown, other: unknown): Entry["outcome"] | null {
  if (isElement(one) && isElement(other)) return { type: "executed", events: one, reply: other };
  const isDeclined = typeof one === "string" && typeof other === "string";
  return isDeclined ? { type: "declined", refusal: one, reason: other } : null;
}

const packSnapshot = (snapshot: Snapshot): unknown[] => [
  snapshot.sequence,
  snapshot.epoch,
  snapshot.version,
  snapshot.schemaVersion,
  snapshot.state,
  snapshot.ids,
];

function unpackSnapshot(fields: readonly unknown[]): Snapshot | null {
  const [sequence, epoch, version, schemaVersion, state, ids] = fields;
  if (!isCount(sequence) || !isCount(epoch) || !isCount(version)) return null;
  if (!isCount(schemaVersion) || !isElement(state) || !isIds(ids)) return null;
  return { sequence, epoch: Epoch(epoch), version, schemaVersion, state, ids };
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

const isCommandId = (value: unknown): value is string | null => commandIdProblem(value) === null;

const isIds = (value: unknown): value is Snapshot["ids"] =>
  Array.isArray(value) && value.length <= COMMAND_IDS_MAX && value.every(isId);

const isId = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && isCount(value[1]);
