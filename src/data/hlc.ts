/**
 * Hybrid logical clock (Kulkarni et al., 2014): stamps that follow the wall clock where it runs
 * forward and order causes before effects where it does not.
 *
 * A `Clock` is the newest point that its owner has stamped or seen; the next stamp lies beyond it.
 * A `Stamp` is made once, by the writer, and never re-made on arrival: the order of two writes is
 * the same on every replica. Stamps come from `tick`, `parseStamp` and `decodeStamp` only, so
 * their fields are inside `limits.ts`.
 */
import { assert } from "./assert.ts";
import {
  STAMP_AHEAD_MAX_MS,
  STAMP_COUNTER_MAX,
  STAMP_HEAD_BYTES,
  STAMP_MILLIS_MAX,
  STAMP_NODE_LENGTH_MAX,
} from "./limits.ts";
import { err, ok, type Result } from "./result.ts";

/** `node` is `nodeId.incarnation` of a node, or a client's id: `[A-Za-z0-9._-]{1,64}`. */
export interface Stamp {
  readonly millis: number;
  readonly counter: number;
  readonly node: string;
}

export interface Clock {
  readonly millis: number;
  readonly counter: number;
}

export const CLOCK_ZERO: Clock = { millis: 0, counter: 0 };

/** A stamp beyond everything the clock has seen, also when `nowMs` went back. */
export function tick(clock: Clock, nowMs: number, node: string): readonly [Clock, Stamp] {
  assert(isStampNode(node), "a stamp names its writer");
  const { millis, counter } = successor(clock, nowMs);
  return [
    { millis, counter },
    { millis, counter, node },
  ];
}

/**
 * The clock after seeing a foreign stamp: its next tick is newer than that stamp. A far stamp
 * drags the clock along, so check `isAhead` first where a stamp enters from a client.
 */
export function receive(clock: Clock, stamp: Stamp, nowMs: number): Clock {
  const wall = wallOf(nowMs);
  const latest = compareClocks(stamp, clock) > 0 ? stamp : clock;
  if (wall > latest.millis) return { millis: wall, counter: 0 };
  return latest === clock ? clock : { millis: latest.millis, counter: latest.counter };
}

/** Millis, then counter, then node by code units: total, and equal only for equal stamps. */
export function compareStamps(a: Stamp, b: Stamp): number {
  const order = compareClocks(a, b);
  if (order !== 0 || a.node === b.node) return order;
  return a.node < b.node ? -1 : 1;
}

/** More than `STAMP_AHEAD_MAX_MS` ahead of `nowMs`: its writer's clock is wrong. */
export function isAhead(stamp: Stamp, nowMs: number): boolean {
  return stamp.millis - nowMs > STAMP_AHEAD_MAX_MS;
}

export function isStampNode(text: string): boolean {
  return text.length <= STAMP_NODE_LENGTH_MAX && /^[A-Za-z0-9._-]+$/.test(text);
}

/** `millis:counter:node`, decimal without leading zeros, so equal stamps have equal texts. */
export function formatStamp(stamp: Stamp): string {
  return `${stamp.millis}:${stamp.counter}:${stamp.node}`;
}

export function parseStamp(text: string): Result<Stamp, "malformed"> {
  const match = /^(0|[1-9]\d{0,14}):(0|[1-9]\d{0,4}):([^:]+)$/.exec(text);
  return checked(Number(match?.[1]), Number(match?.[2]), match?.[3] ?? "");
}

/** 6 bytes millis and 2 bytes counter, big endian, then the node in ASCII: memcmp is stamp order. */
export function encodeStamp(stamp: Stamp): Uint8Array {
  const { millis, counter, node } = stamp;
  const bytes = new Uint8Array(STAMP_HEAD_BYTES + node.length);
  const upper = Math.floor(millis / 2 ** 32);
  const lower = millis - upper * 2 ** 32;
  bytes[0] = upper >>> 8;
  bytes[1] = upper;
  bytes[2] = lower >>> 24;
  bytes[3] = lower >>> 16;
  bytes[4] = lower >>> 8;
  bytes[5] = lower;
  bytes[6] = counter >>> 8;
  bytes[7] = counter;
  for (let i = 0; i < node.length; i++) bytes[STAMP_HEAD_BYTES + i] = node.charCodeAt(i);
  return bytes;
}

export function decodeStamp(bytes: Uint8Array): Result<Stamp, "malformed"> {
  if (bytes.length > STAMP_HEAD_BYTES + STAMP_NODE_LENGTH_MAX) return err("malformed");
  const millis = bigEndian(bytes, 0, 6);
  const counter = bigEndian(bytes, 6, STAMP_HEAD_BYTES);
  let node = "";
  for (let i = STAMP_HEAD_BYTES; i < bytes.length; i++) node += String.fromCharCode(bytes[i] ?? 0);
  return checked(millis, counter, node);
}

/** Not `<<`, which ends at 32 bits. */
function bigEndian(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

function checked(millis: number, counter: number, node: string): Result<Stamp, "malformed"> {
  return millis <= STAMP_MILLIS_MAX && counter <= STAMP_COUNTER_MAX && isStampNode(node)
    ? ok({ millis, counter, node })
    : err("malformed");
}

/** At the end of time (year 10889) it stands still: equal stamps still merge, a throw would not. */
function successor(clock: Clock, nowMs: number): Clock {
  const wall = wallOf(nowMs);
  if (wall > clock.millis) return { millis: wall, counter: 0 };
  if (clock.counter < STAMP_COUNTER_MAX) return { ...clock, counter: clock.counter + 1 };
  return clock.millis < STAMP_MILLIS_MAX ? { millis: clock.millis + 1, counter: 0 } : clock;
}

const compareClocks = (a: Clock, b: Clock): number => a.millis - b.millis || a.counter - b.counter;

/** Any number that a platform may call the time. Before 1970 is harmless: no clock goes back. */
const wallOf = (nowMs: number): number => Math.min(Math.floor(nowMs), STAMP_MILLIS_MAX);
