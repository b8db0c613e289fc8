/** Of every count: a file of its own, since a browser that counts needs nothing else of counts. */
import type { Stamp } from "./hlc.ts";

export const COUNT_STAMP: Stamp = { millis: 0, counter: 0, node: "0" };
