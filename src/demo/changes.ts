/** What the writers write: entries of 100 bytes, each key by one writer, with rising numbers. */

export const MAP = "demo";

export interface Change {
  readonly key: string;
  readonly deletes: boolean;
}

/** Padded: as msgpack 100 bytes. */
const DIGITS = 98;
const DELETE_SHARE = 1 / 8;

/** Says by itself which write it comes from. */
export const textOf = (n: number): string => String(n).padStart(DIGITS, "0");

const keyOf = (id: string, i: number): string => `${id}:${i}`;

export function* everyKey(id: string, keys: number): Generator<Change> {
  for (let i = 0; i < keys; i++) yield { key: keyOf(id, i), deletes: false };
}

/** Puts and deletes of the same keys over and over, so that moves race with both. */
export function* changesUntil(
  stopped: () => boolean,
  { id, keys }: { readonly id: string; readonly keys: number },
): Generator<Change> {
  while (!stopped()) {
    const key = keyOf(id, Math.floor(Math.random() * keys));
    yield { key, deletes: Math.random() < DELETE_SHARE };
  }
}
