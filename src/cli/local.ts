/** A whole Godwit on this machine: the deployed Worker, bundled as for a deployment, under Miniflare. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

export interface LocalOptions {
  /** 0: any free port. */
  readonly port: number;
  /** First size of a new cluster. */
  readonly nodes: number;
  /** Of a new cluster. */
  readonly partitions?: number;
  /** Folder that keeps the state; without it the state ends with the process. */
  readonly persist?: string;
}

export interface Local {
  readonly url: URL;
  readonly miniflare: Miniflare;
  readonly dispose: () => Promise<void>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export async function startLocal(options: LocalOptions): Promise<Local> {
  const script = await bundle();
  const config = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  const date = /^compatibility_date = "(.+)"$/m.exec(config)?.[1];
  if (date === undefined) throw new Error("wrangler.toml has no compatibility_date");
  const { port, nodes, partitions, persist } = options;
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
      bindings: {
        GODWIT_NODES: String(nodes),
        ...(partitions === undefined ? {} : { GODWIT_PARTITIONS: String(partitions) }),
      },
      durableObjects: {
        NODES: { className: "NodeObject", useSQLite: true },
        COORDINATOR: { className: "CoordinatorObject", useSQLite: true },
      },
      ...(persist === undefined ? {} : { resourcePersistencePath: persist }),
    }),
  );
  const url = await miniflare.ready;
  return { url, miniflare, dispose: () => miniflare.dispose() };
}

/** What `npm run deploy` would send, without a network. */
async function bundle(): Promise<string> {
  const outdir = await mkdtemp(join(tmpdir(), "godwit-"));
  try {
    const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
    const wrangler = join(dirname(manifest), "bin/wrangler.js");
    await promisify(execFile)(
      process.execPath,
      [wrangler, "deploy", "--dry-run", "--outdir", outdir],
      {
        cwd: ROOT,
        env: {
          ...process.env,
          CLOUDFLARE_CF_FETCH_ENABLED: "false",
          WRANGLER_SEND_METRICS: "false",
          WRANGLER_HIDE_BANNER: "true",
        },
      },
    );
    return await readFile(join(outdir, "worker.js"), "utf8");
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}
