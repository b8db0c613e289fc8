/** Schemas of what several messages carry, apart from what clients are told. */
import * as v from "./shapes.ts";
import type { ClusterId, Epoch, Incarnation, MigrationId, NodeId, Seq, Term } from "../data/ids.ts";
import type { MemberInfo, MembersView } from "../data/members.ts";
import type { Identity } from "../data/row.ts";
import type { Ruling } from "../data/ruling.ts";
import { keyProblem, malformed, mapProblem } from "./checks.ts";
import { kindProblem, subProblem } from "./row-fields.ts";
import { declared } from "./declared.ts";
import {
  CLUSTERS_TAKEN_MAX,
  COPIES_MAX,
  HOST_BYTES_MAX,
  MIGRATION_ID_BYTES_MAX,
  NAME_PATTERN,
  NODES_MAX,
  PARTITION_COUNT_MAX,
  REGION_BYTES_MAX,
  WEIGHT_MAX,
} from "./limits.ts";
import { count, integer, nodeId, partitionId, text, version } from "./schema.ts";
import { leaf, list } from "./shapes.ts";

// ------------------------------------------------------------------ names and counters

const matching = <T extends string>(pattern: RegExp, expected: string) => {
  const problem = malformed(expected);
  return leaf<T>(expected, (value) =>
    typeof value === "string" && pattern.test(value) ? null : problem,
  );
};

const NAME = "1 to 32 of a-z 0-9 -";

export const clusterId = matching<ClusterId>(NAME_PATTERN, NAME);
export const digest = matching<string>(/^[0-9a-f]{16}$/, "16 hex digits");
export const digestIfAny = matching<string>(/^([0-9a-f]{16})?$/, "16 hex digits, or empty");
export const migrationId = text<MigrationId>(1, MIGRATION_ID_BYTES_MAX);

/** A node, or one of the two names that no node has. */
export const sender = matching<NodeId | "coordinator" | "front">(NAME_PATTERN, NAME);

export const epoch = count<Epoch>();
export const term = count<Term>();
export const seq = count<Seq>();
export const incarnation = count<Incarnation>();

// ------------------------------------------------------------------ members

export const host = text(1, HOST_BYTES_MAX);
export const region = text(0, REGION_BYTES_MAX);

/** Of a member: 0 while it is being emptied. */
export const weight = integer(0, WEIGHT_MAX);

export const ackLevel = v.picklist(["owner", "backup"]);
export const movePurpose = v.picklist(["move", "backup"]);
export const nodeState = v.picklist(["joining", "active", "suspect", "leaving", "dead", "removed"]);

const member = declared<MemberInfo>()(
  v.object({
    nodeId,
    host: text(0, HOST_BYTES_MAX),
    clientPort: count(),
    clusterPort: count(),
    region,
    weight,
    state: nodeState,
    joinVersion: version,
    incarnation,
  }),
);

export const members = list(member, NODES_MAX);
export const taken = list(clusterId, CLUSTERS_TAKEN_MAX);

export const membersView = declared<MembersView>()(
  v.object({
    version,
    members,
    taken: v.exactOptional(taken),
    draining: v.exactOptional(list(nodeId, NODES_MAX)),
  }),
);

// ------------------------------------------------------------------ partitions

export const ruling = declared<Ruling>()(
  v.object({
    partitionId,
    epoch,
    owner: v.nullable(nodeId),
    since: epoch,
    copies: list(v.object({ nodeId, state: v.picklist(["copying", "complete"]) }), COPIES_MAX),
    fresh: v.exactOptional(v.literal(true)),
  }),
);

export const rulings = list(ruling, PARTITION_COUNT_MAX);
export const nodeIds = list(nodeId, NODES_MAX);

// ------------------------------------------------------------------ entries

export const mapName = leaf<string>("name of a map", mapProblem);
export const key = leaf<string>("key", keyProblem);

export const identity = declared<Identity>()(
  v.object({
    map: mapName,
    key,
    kind: leaf<Identity["kind"]>("kind of row", kindProblem),
    sub: leaf<string>("sub of a row", subProblem),
  }),
);
