/** Is it a row as its kind has them? Clients are told rows and make none, so a page need not load this. */
import { decodeTotal, sideIn } from "../data/count.ts";
import { COUNT_STAMP } from "../data/count-stamp.ts";
import { tagIn } from "../data/element.ts";
import { compareStamps } from "../data/hlc.ts";
import type { Row } from "../data/row.ts";

/** Is it a row of that kind, as whoever writes one makes it? Others would not merge as they must. */
export function isRowOf({ kind, sub, stamp, value, expiresAt }: Row): boolean {
  if (kind === "lww") return sub === "";
  if (kind === "or") return tagIn(sub) !== null;
  const isTotal = value !== null && decodeTotal(value).ok && expiresAt === null;
  return isTotal && sideIn(sub) !== null && compareStamps(stamp, COUNT_STAMP) === 0;
}
