/** A cluster that nobody asks anything does nothing: no alarm, no request to an object, no write. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { encode } from "@msgpack/msgpack";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFAULTS } from "../../src/core/config.ts";
import { Client, opOf } from "./client.ts";
import { fill, Grid } from "./grid.ts";
import { pause } from "./writer.ts";

const QUIET_MS = 30_000;
/** An object that was asked anything stays awake for ten seconds, so looking this often misses nothing. */
const LOOK_EVERY_MS = 4_500;
const ASLEEP_AFTER_MS = 12_000;
/** After its last work a node says for so long that it is there, then that it is dormant. */
const DORMANT_AFTER_MS = DEFAULTS.idleAfterMs + 2 * DEFAULTS.heartbeatMs;

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: 64 });
}, 60_000);
afterAll(() => grid.stop());

const objects = ["coordinator", "n1", "n2", "n3", "n4"];

/** Every file with its size and the time of its last change; not those that readers share. */
function files(): string[] {
  const folder = join(grid.disk.folder, "do");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => !path.endsWith("-shm"))
    .map((path) => {
      const { size, mtimeMs } = statSync(join(folder, path));
      return `${path} ${size} ${mtimeMs}`;
    })
    .toSorted();
}

async function awake(): Promise<string[]> {
  const found: string[] = [];
  for (const who of objects) if (await grid.evict(who)) found.push(who);
  return found;
}

it("after moves have settled nothing is armed, asked or written for 30 s", async () => {
  const keys = Array.from({ length: 2_000 }, (_, i) => `k${i}`);
  await fill(grid.api, "m", { keys, value: "x".repeat(1_000) });
  const client = await Client.open(grid.api.base, "?node=n1");
  await client.hello(true, "idle");
  expect((await grid.api.json("POST", "/v1/cluster/nodes", { count: 1 })).status).toBe(202);
  let armedMost = 0;
  for (const began = Date.now(); Date.now() - began < 500; await pause(10))
    armedMost = Math.max(armedMost, grid.disk.alarms());
  expect(armedMost, "while moves ran").toBeGreaterThan(0);
  await grid.api.settled([...grid.nodes, "n4"]);

  // An alarm is never deleted: it rings once more and finds nothing.
  for (const began = Date.now(); grid.disk.alarms() > 0; await pause(100))
    expect(Date.now() - began, "alarms are left").toBeLessThan(10_000);

  await pause(DORMANT_AFTER_MS);
  const began = Date.now();
  let before: string[] | undefined;
  for (let look = ASLEEP_AFTER_MS; look <= QUIET_MS; look += LOOK_EVERY_MS) {
    await pause(began + look - Date.now());
    client.socket.send("ping"); // clients make sure of their sockets, which wakes nobody
    expect(await awake(), `asked something in the last 10 of ${look} ms`).toEqual([]);
    before ??= files(); // falling asleep an object tidies its files
    expect(files()).toEqual(before);
  }
  expect(grid.disk.alarms()).toBe(0);

  client.send({ type: "OPS", seq: 1, ops: [opOf("after", encode(1), "idle")] });
  expect((await client.next("ACK")).exceptions).toEqual([]);
  expect(files()).not.toEqual(before);
  expect(await awake()).toContain("n1");
  client.socket.close();
}, 90_000);
