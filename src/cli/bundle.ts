import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** What would be deployed from the `wrangler.toml` in `folder`, without a network. */
export async function bundle(folder: string): Promise<string> {
  const outdir = await mkdtemp(join(tmpdir(), "godwit-"));
  try {
    const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
    const wrangler = join(dirname(manifest), "bin/wrangler.js");
    await promisify(execFile)(
      process.execPath,
      [wrangler, "deploy", "--dry-run", "--outdir", outdir],
      {
        cwd: folder,
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
