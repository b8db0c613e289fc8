/** What became of operations, in ACK, VALUES and OP_FORWARDED alike. */
import type { Result } from "../data/result.ts";
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
import { count, integer, moment, parse } from "./schema.ts";
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
} as const;

/** Known by then. */
const tag = count();
const bytesIfAny = leaf<Uint8Array | null>("value", valueProblem);
const STAMP = {
  millis: moment,
  counter: leaf<number>("counter", counterProblem),
  node: leaf<string>("node", nodeProblem),
};

export const MEMBER_LAYOUT = { value: leaf<Uint8Array>("element", elementProblem), tags: tagList };

export const RESULT_LAYOUTS = {
  stored: { tag, ...STAMP },
  superseded: { tag, ...STAMP },
  refused: { tag, error: errorInfo },
  value: { tag, value: bytesIfAny },
  stampedValue: { tag, value: bytesIfAny, ...STAMP },
  members: {
    tag,
    members: list(tuple(MEMBER_LAYOUT), MEMBERS_MAX + 1),
    after: leaf<string | null>("hash", hashProblem),
  },
  total: { tag, inc: count(), dec: count() },
};

const stamped = (type: "stored" | "superseded"): Schema<AnyResult> =>
  transform(tuple(RESULT_LAYOUTS[type]), ({ millis, counter, node }) => ({
    type,
    stamp: { millis, counter, node },
  }));

/** By their tags. */
const RESULTS: readonly Schema<AnyResult>[] = [
  stamped("stored"),
  stamped("superseded"),
  transform(tuple(RESULT_LAYOUTS.refused), ({ error }) => ({ type: "refused", error })),
  transform(tuple(RESULT_LAYOUTS.value), ({ value }) => ({ type: "value", value, stamp: null })),
  transform(tuple(RESULT_LAYOUTS.stampedValue), ({ value, millis, counter, node }) => ({
    type: "value",
    value,
    stamp: { millis, counter, node },
  })),
  transform(tuple(RESULT_LAYOUTS.members), ({ members, after }) => ({
    type: "members",
    members,
    after,
  })),
  transform(tuple(RESULT_LAYOUTS.total), ({ inc, dec }) => ({ type: "total", inc, dec })),
];

const anyResult: Schema<AnyResult> = {
  type: "result",
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
  }
}

export const packExceptions = (exceptions: readonly OpException[]): unknown[] =>
  exceptions.map(({ index, result }) => [index, packResult(result)]);

// ------------------------------------------------------------------ unpacking

const anyResults = list(anyResult, FRAME_OPS_MAX);

const readResults = list(
  transform(anyResult, (result) =>
    isReadResult(result) ? result : malformed("the result of a read"),
  ),
  FRAME_OPS_MAX,
);

const exceptions = list(
  transform(tuple(EXCEPTION_LAYOUT), ({ index, result }): OpException | Problem =>
    result.type === "superseded" || result.type === "refused"
      ? { index, result }
      : within(malformed("superseded or refused"), ".result"),
  ),
  FRAME_OPS_MAX,
);

export const unpackResults = (wire: unknown): Result<readonly AnyResult[], Problem> =>
  parse(anyResults, wire);

export const unpackReadResults = (wire: unknown): Result<readonly ReadResult[], Problem> =>
  parse(readResults, wire);

export const unpackExceptions = (wire: unknown): Result<readonly OpException[], Problem> =>
  parse(exceptions, wire);
