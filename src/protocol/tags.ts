/** Tags as they travel: stamps as texts. */
import { formatStamp, parseStamp, type Stamp } from "../data/hlc.ts";
import { err, type Result } from "../data/result.ts";
import { badTag, type Problem } from "./checks.ts";
import { TAGS_MAX } from "./limits.ts";
import { parse } from "./schema.ts";
import { list, packed } from "./shapes.ts";

export const packTags = (tags: readonly Stamp[] | null): readonly string[] | null =>
  tags && tags.map(formatStamp);

const tag = packed<Stamp>("stamp as text", (wire) => {
  const stamp = typeof wire === "string" ? parseStamp(wire) : null;
  return stamp?.ok ? stamp : err(badTag);
});

export const tagList = list(tag, TAGS_MAX);

export const unpackTags = (wire: unknown): Result<readonly Stamp[], Problem> =>
  parse(tagList, wire);
