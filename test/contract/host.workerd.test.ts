/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
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

registerHostContract("on a Durable Object", async () => onDurableObject());
