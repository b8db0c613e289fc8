/** Maps, welcomes and operations for the tables of the client. */
import { NodeId, PartitionId, Version } from "../../src/data/ids.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import type { Read, Write } from "../../src/client/machine/ask.ts";
import type { Welcome } from "../../src/protocol/client-messages.ts";

/** `owners`: of each partition, by name. */
export function mapOf(
  owners: readonly (string | null)[],
  { version = 1, gone = [] }: { readonly version?: number; readonly gone?: readonly string[] } = {},
): PartitionMapPayload {
  const names = [...new Set(owners.filter((owner) => owner !== null))];
  return {
    version: Version(version),
    viewVersion: Version(version),
    partitionCount: owners.length,
    nodes: [...names, ...gone].map((name) => ({
      nodeId: NodeId(name),
      endpoints: { websocket: "" },
      status: gone.includes(name) ? "FAILED" : "ACTIVE",
    })),
    partitions: owners.map((owner, id) => ({
      partitionId: PartitionId(id),
      ownerNodeId: owner === null ? null : NodeId(owner),
      backupNodeIds: [],
    })),
    generatedAt: 0,
  };
}

export const welcomeOf = (node: string, changes: Partial<Welcome> = {}): Welcome => ({
  type: "WELCOME",
  version: 1,
  clientId: "c",
  nodeId: NodeId(node),
  forward: false,
  nowMs: 0,
  creditFrames: 64,
  creditOps: 16_000,
  creditBytes: 1_048_576,
  map: mapOf([node]),
  ...changes,
});

export const writeOf = (id: number, changes: Partial<Write> = {}): Write => ({
  id,
  kind: "owner",
  bytes: 100,
  refused: null,
  redirectedAt: null,
  op: {
    map: "m",
    key: "k",
    stamp: { millis: 1_000 + id, counter: 0, node: "c" },
    value: new Uint8Array([1]),
    expiresAt: null,
  },
  at: 1_000 + id,
  ttlMs: null,
  exposed: false,
  drifted: false,
  behind: [],
  ...changes,
});

export const readOf = (id: number, changes: Partial<Read> = {}): Read => ({
  id,
  kind: "read",
  bytes: 100,
  refused: null,
  redirectedAt: null,
  key: { map: "m", key: "k" },
  ...changes,
});
