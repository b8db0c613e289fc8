/** A whole Godwit on this machine: the deployed Worker, bundled as for a deployment, under Miniflare. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { bundle } from "./bundle.ts";

export interface LocalOptions {
  /** 0: any free port. */
  readonly port: number;
  /** First size of a new cluster. */
  readonly nodes: number;
  /** Of a new cluster. */
  readonly partitions?: number;
  /** Copies of each partition beside its owner. */
  readonly backups?: number;
  /** Folder that keeps the state; without it the state ends with the process. */
  readonly persist?: string;
  /** Lets a debugger or profiler in: `miniflare.getInspectorURL()`. */
  readonly inspect?: boolean;
  /** Lets tests order faults (`objects/faults.ts`). */
  readonly faults?: boolean;
  /** As `GODWIT_PRESET`. */
  readonly preset?: "fast";
  /** Folder of files that are served as they are, where there is one of that path. */
  readonly assets?: string;
}

export interface Local {
  readonly url: URL;
  readonly miniflare: Miniflare;
  readonly dispose: () => Promise<void>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export async function startLocal(options: LocalOptions): Promise<Local> {
  const script = await bundle(ROOT);
  const config = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  const date = /^compatibility_date = "(.+)"$/m.exec(config)?.[1];
  if (date === undefined) throw new Error("wrangler.toml has no compatibility_date");
  const { port, nodes, partitions, backups, persist, inspect, faults, preset, assets } = options;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "godwit",
      modules: [{ type: "ESModule", path: "worker.js", contents: script }],
      modulesRoot: "",
      compatibilityDate: date,
      host: "127.0.0.1",
      port,
      cf: false,
      telemetry: { enabled: false },
      ...(inspect === true ? { inspectorPort: 0 } : {}),
      bindings: {
        GODWIT_NODES: String(nodes),
        ...(partitions === undefined ? {} : { GODWIT_PARTITIONS: String(partitions) }),
        ...(backups === undefined ? {} : { GODWIT_BACKUPS: String(backups) }),
        ...(faults === true ? { GODWIT_FAULTS: "1" } : {}),
        ...(preset === undefined ? {} : { GODWIT_PRESET: preset }),
      },
      durableObjects: {
        NODES: { className: "NodeObject", useSQLite: true },
        COORDINATOR: { className: "CoordinatorObject", useSQLite: true },
      },
      ...(assets === undefined
        ? {}
        : {
            assets: {
              directory: assets,
              binding: "ASSETS",
              routerConfig: { has_user_worker: true },
            },
          }),
      ...(persist === undefined ? {} : { resourcePersistencePath: persist }),
    }),
  );
  const url = await miniflare.ready;
  return { url, miniflare, dispose: () => miniflare.dispose() };
}
