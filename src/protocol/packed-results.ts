/** What became of operations, in ACK, VALUES and OP_FORWARDED alike. */
import type { Stamp } from "../data/hlc.ts";
import {
  counterProblem,
  elementProblem,
  hashProblem,
  malformed,
  nodeProblem,
  valueProblem,
  within,
  type Problem,
} from "./checks.ts";
import type { OpException } from "./client-messages.ts";
import { FRAME_OPS_MAX, MEMBERS_MAX } from "./limits.ts";
import { isReadResult, type OpResult, type ReadResult } from "./ops.ts";
import { errorInfo } from "./schema-told.ts";
import { count, integer, moment } from "./schema.ts";
import { leaf, list, transform, tuple, type Schema } from "./shapes.ts";
import { packTags, tagList } from "./tags.ts";

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
  reply: 7,
} as const;

/** Known by then: what a result is called is all that is left of it. */
const tag = <const T extends keyof typeof RESULT_TAGS>(name: T): Schema<T> => ({
  type: name,
  read: () => name,
});
const bytesIfAny = leaf<Uint8Array | null>("value", valueProblem);
const STAMP = {
  millis: moment,
  counter: leaf<number>("counter", counterProblem),
  node: leaf<string>("node", nodeProblem),
};

const element = leaf<Uint8Array>("element", elementProblem);

export const MEMBER_LAYOUT = { value: element, tags: tagList };

export const RESULT_LAYOUTS = {
  stored: { type: tag("stored"), ...STAMP },
  superseded: { type: tag("superseded"), ...STAMP },
  refused: { type: tag("refused"), error: errorInfo },
  value: { type: tag("value"), value: bytesIfAny },
  stampedValue: { type: tag("value"), value: bytesIfAny, ...STAMP },
  members: {
    type: tag("members"),
    members: list(tuple(MEMBER_LAYOUT), MEMBERS_MAX + 1),
    after: leaf<string | null>("hash", hashProblem),
  },
  total: { type: tag("total"), inc: count(), dec: count() },
  reply: { type: tag("reply"), version: count(), value: element },
};

const stamped = <R extends Stamp>({ millis, counter, node, ...rest }: R) => ({
  ...rest,
  stamp: { millis, counter, node },
});

/** By their tags. */
const RESULTS: readonly Schema<AnyResult>[] = [
  transform(tuple(RESULT_LAYOUTS.stored), stamped),
  transform(tuple(RESULT_LAYOUTS.superseded), stamped),
  tuple(RESULT_LAYOUTS.refused),
  transform(tuple(RESULT_LAYOUTS.value), (result) => ({ ...result, stamp: null })),
  transform(tuple(RESULT_LAYOUTS.stampedValue), stamped),
  tuple(RESULT_LAYOUTS.members),
  tuple(RESULT_LAYOUTS.total),
  tuple(RESULT_LAYOUTS.reply),
];

export const anyResult: Schema<AnyResult> & { readonly layouts: object } = {
  type: "result",
  layouts: RESULT_LAYOUTS,
  read: (wire) => {
    if (!Array.isArray(wire)) return malformed("a list");
    const [number]: unknown[] = wire;
    const schema = typeof number === "number" ? RESULTS[number] : undefined;
    return schema?.read(wire) ?? within(malformed("the number of a kind of result"), ".tag");
  },
};

export const EXCEPTION_LAYOUT = { index: integer(0, FRAME_OPS_MAX - 1), result: anyResult };

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
    case "reply":
      return [RESULT_TAGS.reply, result.version, result.value];
  }
}

export const packExceptions = (exceptions: readonly OpException[]): unknown[] =>
  exceptions.map(({ index, result }) => [index, packResult(result)]);

// ------------------------------------------------------------------ unpacking

export const readResults = list(
  transform(anyResult, (result) =>
    isReadResult(result) ? result : malformed("the result of a read"),
  ),
  FRAME_OPS_MAX,
);

export const exceptions = list(
  transform(tuple(EXCEPTION_LAYOUT), ({ index, result }): OpException | Problem =>
    result.type === "superseded" || result.type === "refused"
      ? { index, result }
      : within(malformed("superseded or refused"), ".result"),
  ),
  FRAME_OPS_MAX,
);
