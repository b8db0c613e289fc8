/** What became of operations, in ACK, VALUES and OP_FORWARDED alike, and the entries of a scan. */
import type { Result } from "../data/result.ts";
import {
  counterProblem,
  elementProblem,
  hashProblem,
  integerProblem,
  isCounter,
  isElement,
  isHash,
  isKey,
  isMillis,
  isNode,
  isProblem,
  isTotal,
  isValue,
  keyProblem,
  malformed,
  millisProblem,
  nodeProblem,
  totalProblem,
  valueProblem,
  within,
  type Problem,
} from "./checks.ts";
import type { OpException } from "./client-messages.ts";
import type { ScanEntry } from "./cluster-messages.ts";
import { FRAME_OPS_MAX, MEMBERS_MAX, SCAN_LIMIT_MAX } from "./limits.ts";
import { isReadResult, type OpResult, type ReadResult, type SetMember } from "./ops.ts";
import { diagnose, problemIn, unpackList, type Layout } from "./packed.ts";
import { packTags, unpackTags } from "./tags.ts";
import { errorInfo } from "./schema-told.ts";
import { parse } from "./schema.ts";

type AnyResult = OpResult | ReadResult;

/** The first item of a result says which layout the rest has. */
const RESULT_TAGS = {
  stored: 0,
  superseded: 1,
  refused: 2,
  value: 3,
  stampedValue: 4,
  members: 5,
  total: 6,
} as const;

const STAMP: Layout = { millis: millisProblem, counter: counterProblem, node: nodeProblem };

export const RESULT_LAYOUTS: Readonly<Record<keyof typeof RESULT_TAGS, Layout>> = {
  stored: { tag: tagProblem, ...STAMP },
  superseded: { tag: tagProblem, ...STAMP },
  refused: { tag: tagProblem, error: errorProblem },
  value: { tag: tagProblem, value: valueProblem },
  stampedValue: { tag: tagProblem, value: valueProblem, ...STAMP },
  members: { tag: tagProblem, members: membersProblem, after: hashProblem },
  total: { tag: tagProblem, inc: totalProblem, dec: totalProblem },
};

export const MEMBER_LAYOUT: Layout = { value: elementProblem, tags: memberTagsProblem };

export const EXCEPTION_LAYOUT: Layout = { index: indexProblem, result: () => null };
export const ENTRY_OF_SCAN_LAYOUT: Layout = { key: keyProblem, value: entryValueProblem };

function tagProblem(tag: unknown): Problem | null {
  return integerProblem(tag, 0, Object.keys(RESULT_TAGS).length - 1);
}

function errorProblem(error: unknown): Problem | null {
  return problemIn(parse(errorInfo, error));
}

function indexProblem(index: unknown): Problem | null {
  return integerProblem(index, 0, FRAME_OPS_MAX - 1);
}

function membersProblem(members: unknown): Problem | null {
  return problemIn(unpackMembers(members));
}

function memberTagsProblem(tags: unknown): Problem | null {
  return problemIn(unpackTags(tags));
}

/** What is deleted is not listed. */
function entryValueProblem(value: unknown): Problem | null {
  return value === null ? malformed("bytes") : valueProblem(value);
}

// ------------------------------------------------------------------ packing

export const packResults = (results: readonly AnyResult[]): unknown[] => results.map(packResult);

function packResult(result: AnyResult): unknown[] {
  switch (result.type) {
    case "stored":
    case "superseded": {
      const { millis, counter, node } = result.stamp;
      return [RESULT_TAGS[result.type], millis, counter, node];
    }
    case "refused":
      return [RESULT_TAGS.refused, result.error];
    case "value": {
      const { value, stamp } = result;
      if (!stamp) return [RESULT_TAGS.value, value];
      return [RESULT_TAGS.stampedValue, value, stamp.millis, stamp.counter, stamp.node];
    }
    case "members": {
      const members = result.members.map(({ value, tags }) => [value, packTags(tags)]);
      return [RESULT_TAGS.members, members, result.after];
    }
    case "total":
      return [RESULT_TAGS.total, result.inc, result.dec];
  }
}

export const packExceptions = (exceptions: readonly OpException[]): unknown[] =>
  exceptions.map(({ index, result }) => [index, packResult(result)]);

export const packEntries = (entries: readonly ScanEntry[]): unknown[] =>
  entries.map(({ key, value }) => [key, value]);

// ------------------------------------------------------------------ unpacking

export const unpackResults = (wire: unknown): Result<readonly AnyResult[], Problem> =>
  unpackList(wire, FRAME_OPS_MAX, unpackResult);

export const unpackReadResults = (wire: unknown): Result<readonly ReadResult[], Problem> =>
  unpackList(wire, FRAME_OPS_MAX, (item): ReadResult | Problem => {
    const result = unpackResult(item);
    if (isProblem(result) || isReadResult(result)) return result;
    return malformed("the result of a read");
  });

export const unpackExceptions = (wire: unknown): Result<readonly OpException[], Problem> =>
  unpackList(wire, FRAME_OPS_MAX, unpackException);

function unpackException(wire: unknown): OpException | Problem {
  if (!Array.isArray(wire) || wire.length !== 2) return diagnose(wire, EXCEPTION_LAYOUT);
  const [index, packed]: unknown[] = wire;
  if (typeof index !== "number" || indexProblem(index)) return diagnose(wire, EXCEPTION_LAYOUT);
  const result = unpackResult(packed);
  if (isProblem(result)) return within(result, ".result");
  if (result.type === "superseded" || result.type === "refused") return { index, result };
  return within(malformed("superseded or refused"), ".result");
}

function unpackResult(wire: unknown): AnyResult | Problem {
  if (!Array.isArray(wire)) return malformed("a list");
  const [tag, ...rest]: unknown[] = wire;
  switch (tag) {
    case RESULT_TAGS.stored:
      return unpackStamped("stored", rest) ?? diagnose(wire, RESULT_LAYOUTS.stored);
    case RESULT_TAGS.superseded:
      return unpackStamped("superseded", rest) ?? diagnose(wire, RESULT_LAYOUTS.superseded);
    case RESULT_TAGS.refused:
      return unpackRefused(rest) ?? diagnose(wire, RESULT_LAYOUTS.refused);
    case RESULT_TAGS.value:
      return unpackValue(rest) ?? diagnose(wire, RESULT_LAYOUTS.value);
    case RESULT_TAGS.stampedValue:
      return unpackStampedValue(rest) ?? diagnose(wire, RESULT_LAYOUTS.stampedValue);
    case RESULT_TAGS.members:
      return unpackMembersResult(rest) ?? diagnose(wire, RESULT_LAYOUTS.members);
    case RESULT_TAGS.total:
      return unpackTotal(rest) ?? diagnose(wire, RESULT_LAYOUTS.total);
    default:
      return within(malformed("the number of a kind of result"), ".tag");
  }
}

function unpackStamped(type: "stored" | "superseded", wire: readonly unknown[]): OpResult | null {
  const [millis, counter, node] = wire;
  const right = wire.length === 3 && isMillis(millis) && isCounter(counter) && isNode(node);
  return right ? { type, stamp: { millis, counter, node } } : null;
}

function unpackRefused(wire: readonly unknown[]): AnyResult | null {
  const error = parse(errorInfo, wire[0]);
  return wire.length === 1 && error.ok ? { type: "refused", error: error.value } : null;
}

function unpackValue(wire: readonly unknown[]): ReadResult | null {
  const [value] = wire;
  return wire.length === 1 && isValue(value) ? { type: "value", value, stamp: null } : null;
}

function unpackStampedValue(wire: readonly unknown[]): ReadResult | null {
  const [value, millis, counter, node] = wire;
  const right = wire.length === 4 && isMillis(millis) && isCounter(counter) && isNode(node);
  return right && isValue(value)
    ? { type: "value", value, stamp: { millis, counter, node } }
    : null;
}

function unpackMembersResult(wire: readonly unknown[]): ReadResult | null {
  const [packed, after] = wire;
  const members = wire.length === 2 ? unpackMembers(packed) : null;
  return members?.ok && isHash(after) ? { type: "members", members: members.value, after } : null;
}

const unpackMembers = (wire: unknown): Result<readonly SetMember[], Problem> =>
  unpackList(wire, MEMBERS_MAX + 1, unpackMember);

function unpackMember(wire: unknown): SetMember | Problem {
  if (!Array.isArray(wire) || wire.length !== 2) return diagnose(wire, MEMBER_LAYOUT);
  const [value, packed]: unknown[] = wire;
  const tags = unpackTags(packed);
  return isElement(value) && tags.ok ? { value, tags: tags.value } : diagnose(wire, MEMBER_LAYOUT);
}

function unpackTotal(wire: readonly unknown[]): ReadResult | null {
  const [inc, dec] = wire;
  return wire.length === 2 && isTotal(inc) && isTotal(dec) ? { type: "total", inc, dec } : null;
}

export const unpackEntries = (wire: unknown): Result<readonly ScanEntry[], Problem> =>
  unpackList(wire, SCAN_LIMIT_MAX, unpackEntry);

function unpackEntry(wire: unknown): ScanEntry | Problem {
  if (!Array.isArray(wire) || wire.length !== 2) return diagnose(wire, ENTRY_OF_SCAN_LAYOUT);
  const [key, value]: unknown[] = wire;
  return isKey(key) && isValue(value) && value !== null
    ? { key, value }
    : diagnose(wire, ENTRY_OF_SCAN_LAYOUT);
}
