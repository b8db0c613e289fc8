/** Tags as they travel: stamps as texts. */
import { formatStamp, parseStamp, type Stamp } from "../data/hlc.ts";
import type { Result } from "../data/result.ts";
import { badTag, type Problem } from "./checks.ts";
import { TAGS_MAX } from "./limits.ts";
import { unpackList } from "./packed.ts";

export const packTags = (tags: readonly Stamp[] | null): readonly string[] | null =>
  tags && tags.map(formatStamp);

export const unpackTags = (wire: unknown): Result<readonly Stamp[], Problem> =>
  unpackList(wire, TAGS_MAX, (item) => {
    const tag = typeof item === "string" ? parseStamp(item) : null;
    return tag?.ok ? tag.value : badTag;
  });
