import { PartitionId } from "../../src/data/ids.ts";
import { SimHost } from "../sim/process.ts";
import {
  machine,
  wakeWith,
  type Effect,
  type Event,
  type Saved,
  type State,
} from "./host-machine.ts";
import { registerHostContract, type HostRig } from "./host.ts";

const EVERYTHING = { rowsMax: 100, bytesMax: 100_000 };

function inSimulation(): HostRig {
  const log: string[] = [];
  const host = new SimHost<State, Event, Effect, Saved>(wakeWith().saved, {
    machine,
    kind: { wake: wakeWith, saved: ({ saved }) => saved, digestKey: () => ({ a: 1, b: 2 }) },
    started: () => ({ type: "started" }),
    perform: (effect) => {
      if (effect.type === "say") log.push(effect.text);
    },
    arm: () => {},
    tick: () => {},
    committed: (_, { keys }) => {
      log.push(["saved", ...keys].join(" "));
    },
  });
  return {
    tell: async (event, crash) => host.deliver(event, crash),
    restart: async () => host.crash(),
    look: async () => ({
      saved: host.disk,
      rows: host.rows.page(PartitionId(0), null, EVERYTHING).rows.map(({ row }) => row.key),
      log: [...log],
      alarmAt: host.armed,
    }),
  };
}

registerHostContract("simulated", async () => inSimulation());
