/** Is it a row as its kind has them? Clients are told rows and make none, so a page need not load this. */
import { unreachable } from "../data/assert.ts";
import { decodeTotal, sideIn } from "../data/count.ts";
import { COUNT_STAMP } from "../data/count-stamp.ts";
import { tagIn } from "../data/element.ts";
import { compareStamps } from "../data/hlc.ts";
import { sequenceIn } from "../data/sequence.ts";
import type { Row } from "../data/row.ts";

/** Is it a row of that kind, as whoever writes one makes it? Others would not merge as they must. */
export function isRowOf(row: Row): boolean {
  const { kind, sub } = row;
  switch (kind) {
    case "lww":
      return sub === "";
    case "or":
      return tagIn(sub) !== null;
    case "pn":
      return isTotal(row);
    case "event":
      return isLasting(row) && sequenceIn(sub) !== null;
    case "snapshot":
      return isLasting(row) && sub === "";
    default:
      return unreachable(kind);
  }
}

function isTotal({ sub, stamp, value, expiresAt }: Row): boolean {
  const isSide = sideIn(sub) !== null && compareStamps(stamp, COUNT_STAMP) === 0;
  return isSide && value !== null && decodeTotal(value).ok && expiresAt === null;
}

/** Of an actor: nobody deletes it. */
const isLasting = ({ stamp, value, expiresAt }: Row): boolean =>
  stamp.counter === 0 && value !== null && expiresAt === null;
