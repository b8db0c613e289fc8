/** How subscriptions are asked for, and again, and from where: the machine alone. */
import { describe, expect, it } from "vitest";
import {
  beginSubscriptions,
  stepSubscriptions,
  subscriptionsWakeAt,
  type SubscriptionsEvent,
} from "../../src/client/machine/subscriptions.ts";
import { closed } from "../../src/client/errors.ts";
import { PAUSE_MS_MAX } from "../../src/client/limits.ts";
import { Epoch, PartitionId, Seq } from "../../src/data/ids.ts";
import { makeError } from "../../src/protocol/errors.ts";
import type { ChangedPart, Position } from "../../src/protocol/subscription-messages.ts";

type Said<Event> = Event extends unknown ? Omit<Event, "now" | "random"> : never;
const PATIENCE_MS = 30_000;
const QUERY = { map: "m" };
const P = PartitionId(3);
const at = (seq: number, since = 1): Position => ({ since: Epoch(since), seq: Seq(seq) });
const part = (position: Position | null, replaced = false): ChangedPart => ({
  partitionId: P,
  position,
  replaces: replaced ? { count: 1, which: [0] } : null,
  rows: [],
});

class Scene {
  state = beginSubscriptions(PATIENCE_MS);
  now = 1_000;

  /** What comes of it, as one line each. */
  step(event: Said<SubscriptionsEvent>): readonly string[] {
    const moment = { now: this.now, random: 0.5 };
    const [state, effects] = stepSubscriptions(this.state, { ...event, ...moment });
    this.state = state;
    return effects.map((effect) => {
      if (effect.type !== "send") return `${effect.type} ${effect.id}`;
      const { message } = effect;
      const from =
        message.type === "SUBSCRIBE"
          ? ` from ${message.positions.map(({ since, seq }) => `${since}.${seq}`).join()}`
          : "";
      return `${message.type} ${message.id} over ${effect.link}${from}`;
    });
  }

  told(parts: readonly ChangedPart[], link = 7): readonly string[] {
    return this.step({ type: "told", link, message: { type: "CHANGES", id: 1, parts } });
  }

  get seq(): number {
    return this.state.all.get(1)?.seq ?? -1;
  }

  static following(): Scene {
    const scene = new Scene();
    scene.step({ type: "linked", link: 7 });
    scene.step({ type: "subscribe", id: 1, query: QUERY });
    return scene;
  }
}

describe("a subscription", () => {
  it("is asked for as soon as there is a connection, over the first of them", () => {
    const scene = new Scene();
    expect(scene.step({ type: "subscribe", id: 1, query: QUERY })).toEqual(["behind 1"]);
    expect(scene.step({ type: "linked", link: 7 })).toEqual([
      "behind 1",
      "SUBSCRIBE 1 over 7 from ",
    ]);
    expect(scene.step({ type: "linked", link: 8 })).toEqual([]);
    expect(scene.step({ type: "unlinked", link: 8 })).toEqual([]);
  });

  it("goes on over another connection from where it is", () => {
    const scene = Scene.following();
    expect(scene.told([part(at(5))])).toEqual(["changed 1"]);
    scene.step({ type: "linked", link: 9 });
    const again = ["behind 1", "SUBSCRIBE 1 over 9 from 1.5"];
    expect(scene.step({ type: "unlinked", link: 7 })).toEqual(again);
    expect(scene.step({ type: "unlinked", link: 9 })).toEqual(["behind 1"]);
    expect(scene.step({ type: "linked", link: 10 })).toHaveLength(2);
  });

  it("is nowhere in a partition of which it has a part only", () => {
    const scene = Scene.following();
    scene.told([part(at(5))]);
    scene.told([part(null, true)]);
    const [, message] = scene.step({
      type: "told",
      link: 7,
      message: { type: "RESYNC" },
    });
    expect(message).toBe("SUBSCRIBE 1 over 7 from ");
    scene.told([part(null, true), part(null), part(at(6, 2))]);
    expect(scene.step({ type: "told", link: 7, message: { type: "RESYNC" } })).toEqual([
      "behind 1",
      "SUBSCRIBE 1 over 7 from 2.6",
    ]);
  });

  it("believes no connection but its own", () => {
    const scene = Scene.following();
    scene.step({ type: "linked", link: 8 });
    expect(scene.told([part(at(5))], 8)).toEqual([]);
    expect(scene.step({ type: "digested", id: 1, link: 8, parts: [] })).toEqual([]);
    expect(scene.step({ type: "digested", id: 1, link: 7, parts: [] })).toEqual([
      "DIGESTS 1 over 7",
    ]);
  });

  it("is asked for again after a pause where it was refused for the time being, be it for its digests", () => {
    const scene = Scene.following();
    scene.told([part(at(5))]);
    scene.step({ type: "digested", id: 1, link: 7, parts: [] });
    const error = makeError("OVERLOADED", { field: "subscriptions", value: 2, max: 1 });
    const { seq } = scene;
    expect(scene.step({ type: "refused", link: 7, seq: seq - 1, error })).toEqual([]);
    expect(scene.step({ type: "refused", link: 7, seq, error })).toEqual([]);
    const due = subscriptionsWakeAt(scene.state) ?? 0;
    expect(due).toBeGreaterThan(scene.now);
    expect(due).toBeLessThanOrEqual(scene.now + PAUSE_MS_MAX);
    expect(scene.step({ type: "woke" })).toEqual([]);
    scene.now = due;
    expect(scene.step({ type: "woke" })).toEqual(["behind 1", "SUBSCRIBE 1 over 7 from 1.5"]);
    expect(subscriptionsWakeAt(scene.state)).toBeNull();
  });

  it("is over where it is refused for longer than its application has patience, unless it was complete once", () => {
    const error = makeError("OVERLOADED", { field: "subscriptions", value: 2, max: 1 });
    const refusedFor = (scene: Scene, ms: number): readonly string[] => {
      const said: string[] = [];
      for (const end = scene.now + ms; scene.now <= end; scene.now += PAUSE_MS_MAX) {
        scene.step({ type: "woke" });
        said.push(...scene.step({ type: "refused", link: 7, seq: scene.seq, error }));
      }
      return said;
    };
    const fresh = Scene.following();
    expect(refusedFor(fresh, PATIENCE_MS - PAUSE_MS_MAX)).toEqual([]);
    expect(refusedFor(fresh, PAUSE_MS_MAX)).toEqual(["ended 1"]);
    const known = Scene.following();
    known.step({ type: "told", link: 7, message: { type: "SYNCED", id: 1 } });
    expect(refusedFor(known, 3 * PATIENCE_MS)).toEqual([]);
    const once = Scene.following();
    refusedFor(once, PATIENCE_MS / 2);
    once.step({ type: "woke" });
    once.step({ type: "told", link: 7, message: { type: "SYNCED", id: 1 } });
    expect(refusedFor(once, PATIENCE_MS)).toEqual([]);
  });

  it("is asked for elsewhere where one node has no room, and by itself", () => {
    const scene = Scene.following();
    scene.step({ type: "linked", link: 8 });
    scene.step({ type: "subscribe", id: 2, query: QUERY });
    const error = makeError("OVERLOADED", { field: "subscriptions", value: 2, max: 1 });
    const refuse = (link: number): readonly string[] => {
      scene.step({ type: "refused", link, seq: scene.seq, error });
      scene.now += PAUSE_MS_MAX;
      return scene.step({ type: "woke" });
    };
    expect(refuse(7)).toEqual(["behind 1", "UNSUBSCRIBE 1 over 7", "SUBSCRIBE 1 over 8 from "]);
    expect(scene.told([part(at(5))]), "where it is none any more").toEqual([]);
    expect(scene.told([part(at(5))], 8)).toEqual(["changed 1"]);
    expect(refuse(8).slice(-1)).toEqual(["SUBSCRIBE 1 over 7 from 1.5"]);
    const resync = { type: "told", link: 8, message: { type: "RESYNC" } } as const;
    expect(scene.step(resync)).toEqual([]);
    expect(scene.step({ ...resync, link: 7 })).toHaveLength(4);
    expect(scene.step({ type: "unlinked", link: 7 }).slice(-1)).toEqual([
      "SUBSCRIBE 2 over 8 from ",
    ]);
  });

  it("has its application's patience anew when it was offline", () => {
    const scene = Scene.following();
    const error = makeError("OVERLOADED", { field: "subscriptions", value: 2, max: 1 });
    scene.step({ type: "refused", link: 7, seq: scene.seq, error });
    scene.step({ type: "unlinked", link: 7 });
    scene.now += 2 * PATIENCE_MS;
    scene.step({ type: "linked", link: 8 });
    expect(scene.step({ type: "refused", link: 8, seq: scene.seq, error })).toEqual([]);
  });

  it("is over where it is refused for good, or unsubscribed, or all is closed", () => {
    const scene = Scene.following();
    const error = makeError("MALFORMED", { field: "filter", expected: "a map" });
    expect(scene.step({ type: "refused", link: 7, seq: scene.seq, error })).toEqual(["ended 1"]);
    expect(scene.told([part(at(5))])).toEqual([]);
    scene.step({ type: "subscribe", id: 2, query: QUERY });
    expect(scene.step({ type: "unsubscribe", id: 2 })).toEqual(["UNSUBSCRIBE 2 over 7"]);
    expect(scene.step({ type: "unsubscribe", id: 2 })).toEqual([]);
    scene.step({ type: "subscribe", id: 3, query: QUERY });
    expect(scene.step({ type: "close", error: closed() })).toEqual(["ended 3"]);
    expect(scene.step({ type: "subscribe", id: 4, query: QUERY })).toEqual(["ended 4"]);
  });
});
