import { CLOCK_ZERO, tick } from "../../src/data/hlc.ts";
import type { ClientMessage } from "../../src/protocol/client-messages.ts";

const MAP = "bench";

/** One for all, so that whatever is sent is newer than what was. */
let [clock, stamp] = tick(CLOCK_ZERO, 0, "bench");

/** Frames of `size` puts on keys drawn at random, each newer than all before it. */
export function puts(
  keys: readonly string[],
  { size, bytes, node }: { readonly size: number; readonly bytes: number; readonly node: string },
): (seq: number) => ClientMessage {
  const value = new Uint8Array(bytes).fill(0x78);
  const draw = random(keys.length);
  return (seq) => ({
    type: "OPS",
    seq,
    ops: Array.from({ length: size }, () => {
      [clock, stamp] = tick(clock, Date.now(), node);
      return { map: MAP, key: keys[draw()] ?? "", value, expiresAt: null, stamp };
    }),
  });
}

/** Each key once, in order: for filling a grid. */
export function fill(
  keys: readonly string[],
  { size, bytes, node }: { readonly size: number; readonly bytes: number; readonly node: string },
): (seq: number) => ClientMessage {
  const value = new Uint8Array(bytes).fill(0x79);
  let next = 0;
  return (seq) => {
    const ops = keys.slice(next, next + size).map((key) => {
      [clock, stamp] = tick(clock, Date.now(), node);
      return { map: MAP, key, value, expiresAt: null, stamp };
    });
    next += size;
    return { type: "OPS", seq, ops };
  };
}

/** Frames of one put. */
export const writes =
  (map: string, node: string, next: () => { readonly key: string; readonly value: Uint8Array }) =>
  (seq: number): ClientMessage => {
    [clock, stamp] = tick(clock, Date.now(), node);
    return { type: "OPS", seq, ops: [{ map, ...next(), expiresAt: null, stamp }] };
  };

export function gets(keys: readonly string[], size: number): (seq: number) => ClientMessage {
  const draw = random(keys.length);
  const key = (): { map: string; key: string } => ({ map: MAP, key: keys[draw()] ?? "" });
  return (seq) => ({ type: "GET", seq, keys: Array.from({ length: size }, key) });
}

/** Indexes below `below`, the same ones in every run (xorshift32, Marsaglia 2003). */
function random(below: number): () => number {
  let x = 2_463_534_242;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}
