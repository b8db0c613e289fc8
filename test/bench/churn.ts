/** Nodes that join and leave, one after the other and without an end, beside writers. */
import type { Local } from "../../src/cli/local.ts";
import { Api, type ClusterBody } from "../e2e/api.ts";
import { underLoad, type Outcome } from "../e2e/under-load.ts";

export interface ChurnFigures extends Outcome {
  readonly rounds: number;
  readonly moves: number;
  /** Moves given up and tried again. */
  readonly failed: number;
  readonly seconds: number;
}

/** In each round one node joins and, when all is at rest, the one that is longest there leaves. */
export async function churning(
  { url }: Local,
  first: readonly string[],
  rounds: number,
): Promise<ChurnFigures> {
  const api = new Api(url);
  const began = performance.now();
  const before = (await api.settled(first)).migrations;
  let after: ClusterBody["migrations"] = before;
  const outcome = await underLoad(url, first, async () => {
    let members = first;
    for (let round = 0; round < rounds; round++) {
      members = [...members, await join(api)];
      checkBalance(await api.settled(members));
      const [oldest = "", ...others] = members;
      await leave(api, oldest);
      members = others;
      const cluster = await api.settled(members);
      checkBalance(cluster);
      after = cluster.migrations;
    }
  });
  return {
    ...outcome,
    rounds,
    moves: after.completed - before.completed,
    failed: after.failed - before.failed,
    seconds: (performance.now() - began) / 1_000,
  };
}

/** The node's id. */
export async function join(api: Api): Promise<string> {
  const { status, body } = await api.json<{ nodes?: string[] }>("POST", "/v1/cluster/nodes", {
    count: 1,
  });
  const id = body.nodes?.[0];
  if (status !== 202 || id === undefined) throw new Error(`${status} ${JSON.stringify(body)}`);
  return id;
}

export async function leave(api: Api, id: string): Promise<void> {
  const { status, body } = await api.json("DELETE", `/v1/cluster/nodes/${id}`);
  if (status !== 202) throw new Error(`${status} ${JSON.stringify(body)}`);
}

export function checkBalance({ members }: ClusterBody): void {
  const owned = members.map(({ partitions }) => partitions.owned);
  if (Math.max(...owned) - Math.min(...owned) > 1) throw new Error(`owned: ${owned.join()}`);
}
