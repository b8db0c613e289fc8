/** A set over the client's own machine, at a node that takes one frame after the other. */
import { expect, it } from "vitest";
import { Desk } from "../../src/client/desk.ts";
import type { Host } from "../../src/client/host.ts";
import { clientMachine } from "../../src/client/machine/client.ts";
import {
  beginClient,
  type Client,
  type ClientEffect,
  type ClientEvent,
} from "../../src/client/machine/client-state.ts";
import type { Said } from "../../src/client/machine/session.ts";
import { GridSet } from "../../src/client/set.ts";
import { ClusterId } from "../../src/data/ids.ts";
import { formatStamp, type Stamp } from "../../src/data/hlc.ts";
import type { ClientRemove, Get, Ops, ServerMessage } from "../../src/protocol/client-messages.ts";
import { makeError } from "../../src/protocol/errors.ts";
import type { OpException } from "../../src/protocol/client-messages.ts";
import { textOf } from "../../src/protocol/utf8.ts";
import { welcomeOf } from "./worlds.ts";

const T = 1_000_000;

interface Add {
  readonly key: string;
  readonly value: Uint8Array;
  readonly tag: Stamp;
  stands: boolean;
}

class Scene {
  /** At the node, by key, value and tag. */
  readonly adds = new Map<string, Add>();
  readonly removals: ClientRemove[] = [];
  /** So many of them are refused. */
  refusals = 0;
  readonly #desk: Desk;
  #now = T;
  #sent: (Ops | Get)[] = [];
  client: Client = beginClient({
    clientId: "p",
    replicaId: "p",
    cluster: ClusterId("main"),
    mode: "gateway",
    outboxMax: 100_000,
    patienceMs: 5_000,
    answerMs: 1_000_000,
  });

  constructor(outboxMax = 100_000) {
    const { settings } = this.client;
    this.client = { ...this.client, settings: { ...settings, outboxMax } };
    const [client, now] = [() => this.client, () => this.#now];
    const host = {
      get client() {
        return client();
      },
      do: (event: Said<ClientEvent>) => this.do(event),
      now,
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that a desk asks of it
    this.#desk = new Desk(host as unknown as Host, { ack: "owner", localMax: 100 });
    this.do({ type: "begin", known: { partitionCount: 1, aheadMs: 0 } });
  }

  set(key = "k"): GridSet<unknown> {
    const loader = { hub: null, following: () => expect.fail("nobody follows it") };
    return new GridSet("m", key, this.#desk, loader);
  }

  do(said: Said<ClientEvent>): void {
    const [client, effects] = clientMachine.step(this.client, {
      ...said,
      now: this.#now++,
      random: 0.5,
    });
    this.client = client;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: ClientEffect): void {
    if (effect.type === "send" && (effect.message.type === "OPS" || effect.message.type === "GET"))
      this.#sent.push(effect.message);
    if (effect.type === "taken" || effect.type === "not-taken") this.#desk.hear(effect);
    if (effect.type === "settled" || effect.type === "restamped") this.#desk.hear(effect);
  }

  /** `aheadMs`: the node's clock before the client's. All is answered, frame by frame. */
  async online(aheadMs = 0): Promise<void> {
    const { link } = this.client;
    this.do({ type: "opened", link });
    const message = welcomeOf("n1", { nowMs: this.#now + aheadMs, forward: true });
    this.do({ type: "heard", link, message });
    await this.answerAll();
  }

  async answerAll(): Promise<void> {
    for (let i = 0; i < 20; i++) {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      this.do({ type: "flush" });
      const frame = this.#sent.shift();
      if (frame) this.do({ type: "heard", link: this.client.link, message: this.#answerTo(frame) });
    }
    expect(this.client.outbox.size).toBe(0);
    expect([...this.client.outbox.removals.values()].filter(({ size }) => size > 0)).toEqual([]);
  }

  #answerTo(frame: Ops | Get): ServerMessage {
    const { seq } = frame;
    if (frame.type === "GET") {
      const values = frame.keys.map(({ key }) => {
        const there = [...this.adds.values()].filter((add) => add.stands && add.key === key);
        const members = [...Map.groupBy(there, ({ value }) => textOf(value)).values()].map(
          (same) => ({
            value: same[0]?.value ?? expect.fail("no value"),
            tags: same.map(({ tag }) => tag),
          }),
        );
        return { type: "members" as const, members, after: null };
      });
      return { type: "VALUES", seq, values };
    }
    const exceptions: OpException[] = [];
    for (const [index, op] of frame.ops.entries()) {
      if (op.type === "add") this.#add({ ...op, tag: op.stamp, stands: true });
      if (op.type !== "remove") continue;
      this.removals.push(op);
      const error = makeError("BAD_CURSOR", { field: "x" });
      if (this.refusals-- > 0) exceptions.push({ index, result: { type: "refused", error } });
      else for (const tag of op.tags ?? []) this.#add({ ...op, tag, stands: false });
    }
    return { type: "ACK", seq, exceptions };
  }

  #add(add: Add): void {
    const name = JSON.stringify([add.key, textOf(add.value), formatStamp(add.tag)]);
    const known = this.adds.get(name);
    this.adds.set(name, { ...add, stands: add.stands && known?.stands !== false });
  }

  get standing(): number {
    return [...this.adds.values()].filter(({ stands }) => stands).length;
  }
}

it("what was added again after it was removed twice is there", async () => {
  const scene = new Scene();
  const set = scene.set();
  void set.add("x");
  void set.delete("x");
  void set.delete("x");
  void set.add("x");
  expect(set.peek()).toEqual(["x"]);
  await scene.online();
  expect([scene.standing, set.peek()]).toEqual([1, ["x"]]);
});

it("what was added again is there, also if the clock was ahead until the owner could be asked", async () => {
  const scene = new Scene();
  const set = scene.set();
  void set.add("x");
  void set.delete("x");
  void set.delete("x");
  void set.add("x");
  await scene.online(-600_000);
  expect([scene.standing, set.peek()]).toEqual([1, ["x"]]);
});

it("a removal takes what a client has added whose name begins with its own", async () => {
  const scene = new Scene();
  const tag = { millis: T + 50, counter: 0, node: "p2" };
  scene.adds.set("theirs", { key: "k", value: new Uint8Array([98]), tag, stands: true });
  void scene.set().delete(98);
  await scene.online();
  expect(scene.removals).toMatchObject([{ tags: [tag] }]);
});

it("what finds no room in the outbox shows nothing else than before", async () => {
  const scene = new Scene(2);
  const set = scene.set();
  const full = { code: "OUTBOX_FULL" };
  void set.add("other");
  void set.add("x");
  await expect(set.delete("x")).rejects.toMatchObject(full);
  expect(set.peek()).toEqual(["other", "x"]);
  await scene.online();
  void set.delete("x");
  void set.delete("other");
  await expect(set.add("x")).rejects.toMatchObject(full);
  expect(set.peek()).toEqual([]);
});

it("what was added while a removal asks what there is, is there", async () => {
  const scene = new Scene();
  const set = scene.set();
  void set.add("other");
  void set.delete("x");
  void set.add("x");
  await scene.online();
  expect([scene.standing, new Set(set.peek())]).toEqual([2, new Set(["other", "x"])]);
});

it("a removal of one set waits for no other, however key and value run together", async () => {
  const scene = new Scene();
  const tag = { millis: 5, counter: 0, node: "d" };
  const theirs = { key: "s\u00a2a", value: new Uint8Array([98]), tag, stands: true };
  scene.adds.set("theirs", theirs);
  void scene.set("s").add("ab");
  void scene.set("s\u00a2a").delete(98);
  await scene.online();
  expect(scene.removals).toMatchObject([{ key: "s\u00a2a", tags: [tag] }]);
});

it("a removal that was refused is not for ever", async () => {
  const scene = new Scene();
  const set = scene.set();
  scene.refusals = 1;
  void set.add("x");
  const refused = set.delete("x");
  refused.catch(() => undefined);
  await scene.online();
  await expect(refused).rejects.toMatchObject({ code: "BAD_CURSOR" });
  expect(set.peek()).toEqual(["x"]);
  void set.delete("x");
  await scene.answerAll();
  expect([scene.standing, set.peek()]).toEqual([0, []]);
});

it("a removal that has waited is stamped by the clock as it is when it goes out", async () => {
  const scene = new Scene();
  const set = scene.set();
  void set.add("x");
  void set.delete("x");
  await scene.online(-600_000);
  expect(scene.standing).toBe(0);
  const [removal] = scene.removals;
  expect(removal?.stamp.millis).toBeLessThan(T - 500_000);
  const stamps = [...scene.adds.values()].map(({ tag }) => formatStamp(tag));
  expect(stamps).not.toContain(removal && formatStamp(removal.stamp));
});

it("a removal that waits is settled when all is closed", async () => {
  const scene = new Scene();
  const set = scene.set();
  const settled: string[] = [];
  for (const one of [set.add("x"), set.delete("x")])
    void one.catch(({ code }: { code: string }) => settled.push(code));
  scene.do({ type: "close" });
  await new Promise((resolve) => setTimeout(resolve));
  expect(settled).toEqual(["CLOSED", "CLOSED"]);
  expect(scene.client.outbox.size).toBe(0);
});

it("more adds than one removal may name are removed by several", async () => {
  const scene = new Scene();
  const set = scene.set();
  for (let i = 0; i < 1_500; i++) void set.add("x");
  void set.delete("x");
  await scene.online();
  expect(scene.standing).toBe(0);
  expect(scene.removals.map(({ tags }) => tags?.length)).toEqual([1_000, 500]);
});
