/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { HostObject } from "./host-object.ts";
import { registerHostContract, type HostRig } from "./host.ts";

const { HOSTS } = env as unknown as { readonly HOSTS: DurableObjectNamespace<HostObject> };

function onDurableObject(): HostRig {
  const id = HOSTS.newUniqueId();
  // A stub that saw its object crash is of no more use.
  const stub = (): DurableObjectStub<HostObject> => HOSTS.get(id);
  const crashing = async (call: Promise<unknown>): Promise<void> => {
    const outcome = await call.then(
      () => "alive",
      () => "crashed",
    );
    if (outcome === "alive") throw new Error("it should have crashed");
  };
  return {
    tell: async (event, crash) => {
      const call = stub().tell(event, crash ?? null);
      await (crash ? crashing(call) : call);
    },
    restart: () => crashing(stub().restart()),
    look: () => stub().look(),
  };
}

it("a wake that is due soon does not wait for the alarm, which comes later, should memory be lost", async () => {
  const rig = onDurableObject();
  await rig.tell({ type: "write", key: "a" });
  await rig.tell({ type: "write", key: "b" }, "after-commit");
  const at = Date.now() + 40;
  await rig.tell({ type: "arm", at });
  const { alarmAt, log } = await rig.look();
  expect(log.at(-1)).toBe("saved a b");
  expect(alarmAt).toBeGreaterThan(at + 500);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await rig.look()).log.at(-1)).toBe("again b");
});

it("a tick comes without an alarm, early rather than late, and not after a crash", async () => {
  const rig = onDurableObject();
  await rig.tell({ type: "write", key: "a" });
  await rig.tell({ type: "tick", at: Date.now() + 60_000 });
  await rig.tell({ type: "tick", at: Date.now() + 40 });
  expect((await rig.look()).alarmAt).toBe(null);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await rig.look()).log.at(-1)).toBe("again a");
  await rig.tell({ type: "tick", at: Date.now() + 40 });
  await rig.restart();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await rig.look()).log.filter((line) => line === "again a")).toHaveLength(1);
});

registerHostContract("on a Durable Object", async () => onDurableObject());
