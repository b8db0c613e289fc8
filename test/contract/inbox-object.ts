/** An object of a cluster that notes what it is told and when, and to which copying is very dear. */
import type { CallId, ClusterEffect, ClusterEvent } from "../../src/core/machine/cluster-event.ts";
import type { Machine } from "../../src/core/machine/step.ts";
import { ClusterId, NodeId, Term } from "../../src/data/ids.ts";
import { ClusterObject, moment } from "../../src/objects/cluster-object.ts";
import type { Address } from "../../src/objects/door.ts";
import { DurableHost } from "../../src/objects/durable-host.ts";

/** What counts as copying here. */
export const COPYING = "FETCH_NODE_STATUS";

/** More than one group earns, many times over: what comes next waits for as many groups. */
const COST = 10_000;

export interface Told {
  readonly type: string;
  readonly now: number;
}

interface State {
  readonly saved: null;
  readonly told: readonly Told[];
}

type Event = ClusterEvent | { readonly type: "started"; readonly now: number };

const nothing = (call: CallId): ClusterEffect => ({
  type: "answer",
  call,
  message: { type: "DONE" },
});

const machine: Machine<State, Event, ClusterEffect> = {
  step: (state, event) => {
    if (event.type !== "message" || event.call === null) return [state, []];
    const told = { type: event.message.type, now: event.now };
    return [{ ...state, told: [...state.told, told] }, [nothing(event.call)]];
  },
  wakeAt: () => null,
};

export class InboxObject extends ClusterObject<State, Event, ClusterEffect, null> {
  protected readonly machine = machine;
  protected readonly host = new DurableHost<State, Event, ClusterEffect, null>(this.ctx.storage, {
    wake: () => ({ saved: null, told: [] }),
    saved: ({ saved }) => saved,
    documents: () => new Map(),
    store: () => undefined,
    perform: (effect) => this.speak(effect),
    wakeUp: () => this.wakeUp(),
  });

  get told(): readonly Told[] {
    return this.host.load().told;
  }

  protected started(): Event {
    return { type: "started", ...moment() };
  }
  protected address(): Address {
    return { clusterId: ClusterId("inbox"), from: NodeId("n1"), term: Term(1) };
  }

  protected override isCopying(event: Event): boolean {
    return event.type === "message" && event.message.type === COPYING;
  }
  protected override copyingCost(): number {
    return COST * this.told.filter(({ type }) => type === COPYING).length;
  }
}
