/** What the fields of a row may be, each by itself. */
import type { RowKind } from "../data/row.ts";
import { EXPIRES_AT_MAX, STAMP_MILLIS_MAX } from "../data/limits.ts";
import { integerProblem, malformed, textProblem, type Problem } from "./checks.ts";

/** Longer than any that is made. */
const SUB_BYTES_MAX = 256;

export const expiryProblem = (expiresAt: unknown): Problem | null =>
  expiresAt === null ? null : integerProblem(expiresAt, 0, EXPIRES_AT_MAX);

export const millisProblem = (millis: unknown): Problem | null =>
  integerProblem(millis, 0, STAMP_MILLIS_MAX);

/** What a `sub` may be depends on the kind: see `row-check.ts`. */
export const subProblem = (sub: unknown): Problem | null => textProblem(sub, 0, SUB_BYTES_MAX);

export const kindProblem = (kind: unknown): Problem | null =>
  typeof kind === "string" && KINDS.has(kind) ? null : badKind;

const KINDS: ReadonlySet<string> = new Set<RowKind>(["lww", "or", "pn", "event", "snapshot"]);
const badKind = malformed("lww, or, pn, event or snapshot");
