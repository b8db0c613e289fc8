/** What is measured: a grid of three nodes, and the bare object beside it. */
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { bundle } from "../../src/cli/bundle.ts";
import { startLocal, type Local, type LocalOptions } from "../../src/cli/local.ts";
import { partitionOf } from "../../src/data/hash.ts";
import { Pipe } from "./pipe.ts";

export async function startBare(): Promise<Local> {
  const contents = await bundle(fileURLToPath(new URL("./bare", import.meta.url)));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "bare",
      modules: [{ type: "ESModule", path: "worker.js", contents }],
      modulesRoot: "",
      compatibilityDate: "2026-10-01",
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      durableObjects: { BARE: { className: "BareObject", useSQLite: true } },
    }),
  );
  return { url: await miniflare.ready, miniflare, dispose: () => miniflare.dispose() };
}

export interface Grid extends Local {
  readonly owners: ReadonlyMap<number, string>;
}

interface PartitionMap {
  readonly partitions: readonly { readonly partitionId: number; readonly ownerNodeId: string }[];
}

export async function startGrid(settings: Partial<LocalOptions> = {}): Promise<Grid> {
  const local = await startLocal({ port: 0, nodes: 3, backups: 0, ...settings });
  return { ...local, owners: await ownersOf(local) };
}

export async function ownersOf({ url }: Local): Promise<ReadonlyMap<number, string>> {
  const map = await json<PartitionMap>(new URL("/v1/map", url));
  return new Map(map.partitions.map(({ partitionId, ownerNodeId }) => [partitionId, ownerNodeId]));
}

export async function json<T>(url: URL, method = "GET", body?: object): Promise<T> {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`${method} ${url.pathname}: ${await response.text()}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller names what it asked for
  return (await response.json()) as T;
}

export async function gridPipe(grid: Local, node: string): Promise<Pipe> {
  const pipe = await Pipe.open(new URL(`/v1/ws?node=${node}`, grid.url));
  await pipe.greet(`bench-${node}`);
  return pipe;
}

/** `count` keys whose partitions are wanted. */
export function keysWhere(
  count: number,
  partitionCount: number,
  wanted: (partitionId: number) => boolean,
): string[] {
  const keys: string[] = [];
  for (let n = 0; keys.length < count; n++) {
    const key = `key-${n.toString(36).padStart(6, "0")}`;
    if (wanted(partitionOf(key, partitionCount))) keys.push(key);
  }
  return keys;
}
