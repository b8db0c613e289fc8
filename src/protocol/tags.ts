/** Tags as they travel: stamps as texts. */
import { formatStamp, parseStamp, type Stamp } from "../data/hlc.ts";
import type { Result } from "../data/result.ts";
import { badTag, type Problem } from "./checks.ts";
import { TAGS_MAX } from "./limits.ts";
import { parse } from "./schema.ts";
import { leaf, list, transform } from "./shapes.ts";

export const packTags = (tags: readonly Stamp[] | null): readonly string[] | null =>
  tags && tags.map(formatStamp);

const isText = leaf<string>("stamp as text", (wire) => (typeof wire === "string" ? null : badTag));

const tag = transform(isText, (text): Stamp | Problem => {
  const stamp = parseStamp(text);
  return stamp.ok ? stamp.value : badTag;
});

export const tagList = list(tag, TAGS_MAX);

export const unpackTags = (wire: unknown): Result<readonly Stamp[], Problem> =>
  parse(tagList, wire);
