/** What is said to those alone who call actors. */
import { malformed } from "./checks.ts";
import type { Replies } from "./client-messages.ts";
import { declared } from "./declared.ts";
import { describe } from "./layout.ts";
import { FRAME_OPS_MAX } from "./limits.ts";
import { isCallResult } from "./ops.ts";
import { anyResult, RESULT_LAYOUTS } from "./packed-results.ts";
import { count, parse } from "./schema.ts";
import * as v from "./shapes.ts";

const { refused, reply } = RESULT_LAYOUTS;

const results = v.list(
  v.transform(anyResult, (result) =>
    isCallResult(result) ? result : malformed("the result of a call"),
  ),
  FRAME_OPS_MAX,
);

export const REPLIES_SCHEMAS = {
  REPLIES: declared<Replies>()(
    v.object({
      type: v.literal("REPLIES"),
      seq: count(),
      replies: v.packed(`list of ${[refused, reply].map(describe).join(" or ")}`, (wire) =>
        parse(results, wire),
      ),
    }),
  ),
};
