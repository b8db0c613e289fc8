import * as v from "valibot";
import type { Campaign, Grant, GrantedPartition, Probe } from "./cluster-messages.ts";
import { declared } from "./declared.ts";
import { PARTITION_COUNT_MAX } from "./limits.ts";
import { list, nodeId, term, version } from "./schema.ts";
import { membersView, ruling } from "./schema-shared.ts";

const granted = declared<GrantedPartition>()(
  v.object({ ruling, role: v.picklist(["none", "owner", "copy", "struck"]) }),
);

export const reignSchemas = {
  CAMPAIGN: declared<Campaign>()(
    v.object({ type: v.literal("CAMPAIGN"), term, viewVersion: version }),
  ),
  GRANT: declared<Grant>()(
    v.object({
      type: v.literal("GRANT"),
      nodeId,
      term,
      viewVersion: version,
      tableVersion: version,
      partitions: list(granted, PARTITION_COUNT_MAX),
      view: v.exactOptional(membersView),
    }),
  ),
  PROBE: declared<Probe>()(v.object({ type: v.literal("PROBE") })),
};
