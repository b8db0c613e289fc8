/**
 * A value as text, the same for equal values whatever order their keys were given in; counters are left out of the
 * text and listed beside it, in the order of their places.
 */
import { Ledger } from "../../src/core/machine/ledger.ts";
import { Queue } from "../../src/core/machine/queue.ts";
import { counterOf } from "./numbers.ts";

export interface Written {
  readonly text: string;
  readonly counters: readonly number[];
}

const COUNTER = "#";
/** Ids and names of retries are made of counters, too. */
const LONG_NUMBER = /\d{7,}/g;

export function write(value: unknown): Written {
  const counters: number[] = [];
  return { text: textOf(value, counters), counters };
}

function textOf(value: unknown, counters: number[]): string {
  switch (typeof value) {
    case "number":
      return numberOf(value, counters);
    case "string":
      return `"${value.replaceAll(LONG_NUMBER, (digits) => numberOf(Number(digits), counters))}"`;
    case "object":
      return value === null ? "null" : objectOf(value, counters);
    default:
      return String(value);
  }
}

function numberOf(value: number, counters: number[]): string {
  if (counterOf(value) === null) return String(value);
  counters.push(value);
  return COUNTER;
}

function objectOf(value: object, counters: number[]): string {
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item, counters)).join()}]`;
  if (value instanceof Uint8Array) return bytesOf(value);
  if (value instanceof Map || value instanceof Ledger) return mapOf([...value], counters);
  if (value instanceof Set)
    return mapOf(
      [...value].map((item) => [item, true]),
      counters,
    );
  if (value instanceof Queue) return `[${[...value].map((x) => textOf(x, counters)).join()}]`;
  const parts: string[] = [];
  for (const [key, item] of Object.entries(value).toSorted(byKey))
    if (item !== undefined) parts.push(`${key}:${textOf(item, counters)}`);
  return `{${parts.join()}}`;
}

/** By key: nobody's decision hangs on the order in which something was noted. */
function mapOf(entries: readonly (readonly [unknown, unknown])[], counters: number[]): string {
  const sorted = entries.toSorted(([a], [b]) => compare(a, b));
  const parts = sorted.map(([k, v]) => `${textOf(k, counters)}=>${textOf(v, counters)}`);
  return `(${parts.join()})`;
}

/** Of a digest nearly all is zero. */
function bytesOf(bytes: Uint8Array): string {
  const parts = [`<${bytes.length}`];
  for (const [i, byte] of bytes.entries()) if (byte !== 0) parts.push(`${i}.${byte}`);
  return `${parts.join()}>`;
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => compare(a, b);

function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [x, y] = [String(a), String(b)];
  if (x === y) return 0;
  return x < y ? -1 : 1;
}
