/** What is said to those alone who call actors. */
import { malformed } from "./checks.ts";
import { isCallResult } from "./client-calls.ts";
import type { Replies } from "./client-messages.ts";
import { declared } from "./declared.ts";
import { FRAME_OPS_MAX } from "./limits.ts";
import { anyResult } from "./packed-results.ts";
import { count } from "./schema.ts";
import * as v from "./shapes.ts";

export const REPLIES_SCHEMAS = {
  REPLIES: declared<Replies>()(
    v.object({
      type: v.literal("REPLIES"),
      seq: count(),
      replies: v.list(
        v.transform(anyResult, (result) =>
          isCallResult(result) ? result : malformed("the result of a call"),
        ),
        FRAME_OPS_MAX,
      ),
    }),
  ),
};
