/** The entries of a scan, as lists of fixed layout. */
import type { Result } from "../data/result.ts";
import { keyProblem, malformed, valueProblem, type Problem } from "./checks.ts";
import type { ScanEntry } from "./cluster-messages.ts";
import { SCAN_LIMIT_MAX } from "./limits.ts";
import { parse } from "./schema.ts";
import { leaf, list, tuple } from "./shapes.ts";

/** What is deleted is not listed. */
export const ENTRY_OF_SCAN_LAYOUT = {
  key: leaf<string>("key", keyProblem),
  value: leaf<Uint8Array>("value of an entry", (bytes) =>
    bytes === null ? malformed("bytes") : valueProblem(bytes),
  ),
};

const scanned = list(tuple(ENTRY_OF_SCAN_LAYOUT), SCAN_LIMIT_MAX);

export const packEntries = (entries: readonly ScanEntry[]): unknown[] =>
  entries.map(({ key, value }) => [key, value]);

export const unpackEntries = (wire: unknown): Result<readonly ScanEntry[], Problem> =>
  parse(scanned, wire);
