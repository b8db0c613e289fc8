/** The client where it is one of another Worker: real sockets from workerd to the grid. */
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connect } from "godwit/client";
import { bundle } from "../../src/cli/bundle.ts";
import { Grid } from "./grid.ts";

let grid: Grid;
let worker: Miniflare;

beforeAll(async () => {
  const contents = await bundle(fileURLToPath(new URL("consumer", import.meta.url)));
  worker = new Miniflare(
    convertV4MiniflareOptions({
      name: "consumer",
      modules: [{ type: "ESModule", path: "worker.js", contents }],
      modulesRoot: "",
      compatibilityDate: "2026-10-01",
      cf: false,
      telemetry: { enabled: false },
    }),
  );
  grid = await Grid.start({ nodes: 3, partitions: 8, backups: 1 });
}, 60_000);
afterAll(async () => {
  await worker.dispose();
  await grid.stop();
});

it("writes, reads, counts and follows from within a Worker, as often as it is asked", async () => {
  const here = await connect(grid.api.base);
  await here.map("users").set("before", { name: "before" });
  for (const likes of [2, 4]) {
    const url = new URL("http://consumer/");
    url.searchParams.set("grid", String(grid.api.base));
    const response = await worker.dispatchFetch(url);
    expect(await response.json()).toEqual({
      before: { name: "before" },
      alice: { name: "alice" },
      likes,
      tags: ["y"],
      told: ["alice", "before", "bob"],
      nodes: 3,
    });
  }
  expect(await here.map("users").get("bob")).toEqual({ name: "bob" });
  here.close();
}, 60_000);
