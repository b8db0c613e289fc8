/** As deployed, with the bindings of `wrangler.toml` and no others. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { Env } from "../../src/objects/env.ts";

const { NODES, COORDINATOR } = env as unknown as Env;
const orders = { faults: [], paused: true, timeless: true, keep: true };

it("no object takes orders to fail where GODWIT_FAULTS is not set, and none is killed", async () => {
  for (const object of [NODES.getByName("main/n1"), COORDINATOR.getByName("main")]) {
    expect(await object.faults(orders)).toBeNull();
    expect(await object.kill()).toBeNull();
    expect(await object.faults(null)).toBeNull();
    const answer = await object.deliver(new Uint8Array([1]));
    expect(answer.length, "it still answers").toBeGreaterThan(0);
  }
});
