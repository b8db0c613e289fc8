/** One schema per cluster message, complete: a message without one does not compile. */
import type { ClusterMessage } from "./cluster-messages.ts";
import { membershipSchemas, tableSchemas } from "./schema-membership.ts";
import { mergeSchemas } from "./schema-merge.ts";
import { moveSchemas, streamSchemas } from "./schema-moves.ts";
import { answerSchemas, operationSchemas } from "./schema-operations.ts";
import { operatorSchemas } from "./schema-operator.ts";
import { reignSchemas } from "./schema-reign.ts";
import { repairSchemas } from "./schema-repair.ts";
import { interestSchemas } from "./schema-subscriptions.ts";
import type { Schema } from "./shapes.ts";

export const CLUSTER_SCHEMAS: {
  readonly [Type in ClusterMessage["type"]]: Schema<Extract<ClusterMessage, { type: Type }>>;
} = {
  ...membershipSchemas,
  ...reignSchemas,
  ...mergeSchemas,
  ...repairSchemas,
  ...tableSchemas,
  ...moveSchemas,
  ...streamSchemas,
  ...operationSchemas,
  ...interestSchemas,
  ...operatorSchemas,
  ...answerSchemas,
};
