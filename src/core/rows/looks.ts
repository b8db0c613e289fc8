/** What a set or a counter may be looked at for, and what is seen there. Types only. */
import type { Count } from "../../data/count.ts";
import type { Of, Row } from "../../data/row.ts";
import type { SetMember } from "../../protocol/ops.ts";

export type Look =
  | (Of & MembersLook)
  /** The adds of one element. */
  | (Of & { readonly type: "adds"; readonly value: Uint8Array })
  /** A counter. */
  | (Of & { readonly type: "total" })
  /** What one replica has added to a counter, and where there is nothing of it: how many replicas there are. */
  | (Of & { readonly type: "replica"; readonly replica: string; readonly replicasMax: number });

/** Elements of a set, in the order of their hashes. */
export interface MembersLook {
  readonly type: "members";
  /** Above this hash; null: from the first. */
  readonly after: string | null;
  readonly limit: number;
  /** Of each element. */
  readonly tagsMax: number;
}

export type Seen =
  | {
      readonly type: "members";
      /** Of their tags as many as were asked for. */
      readonly members: readonly SetMember[];
      /** Look on above this; null: at the end. May be non-null with no members. */
      readonly after: string | null;
    }
  | {
      readonly type: "adds";
      /** What their rows are called. */
      readonly subs: readonly string[];
      /** Removals of adds of it, as far as anybody can tell: nothing is left of what was added. */
      readonly removals: readonly Row[];
    }
  | ({ readonly type: "total" } & Count)
  | { readonly type: "replica"; readonly known: Count | null; readonly others: number };
