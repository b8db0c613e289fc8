/** A node whose storage is gone is not silent: its object answers, as one that was never invited. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

const KEYS = Array.from({ length: 60 }, (_, i) => `k${i}`);
const BACK_MS_MAX = 30_000;

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: 12, backups: 1, preset: "fast" });
}, 60_000);
afterAll(() => grid.stop());

it("given up like one that is silent, by what HTTP finds there alone; its backups have what they acknowledged", async () => {
  for (const key of KEYS) {
    const { status } = await grid.api.json("PUT", `/v1/maps/m/${key}?ack=backup`, key);
    expect(status, key).toBe(200);
  }
  expect((await grid.ownedBy("n1")).length).toBeGreaterThan(0);
  await grid.destroy("n1");
  for (const key of KEYS) expect(await valueOf(key), key).toBe(key);
  expect(grid.disk.member("n1")?.state).toBe("dead");
  expect(await grid.ownedBy("n1")).toEqual([]);
});

/** As soon as somebody has it. */
async function valueOf(key: string): Promise<unknown> {
  for (const began = Date.now(); Date.now() - began < BACK_MS_MAX; await pause(100)) {
    const { status, body } = await grid.api.json("GET", `/v1/maps/m/${key}`);
    if (status === 200) return body;
    expect(status, JSON.stringify(body)).toBe(503);
  }
  return undefined;
}
