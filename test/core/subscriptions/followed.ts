/** A cluster of three on a stage, and subscribers at its nodes. */
import { expect } from "vitest";
import type { Config } from "../../../src/core/config.ts";
import { identityKey } from "../../../src/core/rows/identity-key.ts";
import { NodeId, PartitionId } from "../../../src/data/ids.ts";
import type { Row } from "../../../src/data/row.ts";
import type { ServerMessage } from "../../../src/protocol/client-messages.ts";
import type { Query } from "../../../src/protocol/subscription-messages.ts";
import type { ClusterMessage } from "../../../src/protocol/cluster-messages.ts";
import { Stage, type Letter } from "../../scripts/stage.ts";
import { Subscriber } from "../../sim/subscriber.ts";

export const [A, B, C] = [NodeId("n1"), NodeId("n2"), NodeId("n3")];

export class Followed {
  readonly stage: Stage;
  /** By socket. */
  readonly #subscribers = new Map<string, { at: NodeId; readonly it: Subscriber; deaf: boolean }>();
  readonly told: ServerMessage[] = [];
  #counter = 0;

  constructor(settings: Partial<Config> = {}) {
    this.stage = new Stage({ backupCount: 1, initialNodes: 3, partitionCount: 4, ...settings });
    this.stage.ask({ type: "FETCH_PARTITION_TABLE" });
    this.stage.live(5_000);
    this.stage.told = (from, effect) => {
      if (effect.type === "tell") return this.#tell(effect.socket, effect.message);
      for (const [socket, { at }] of this.#subscribers)
        if (at === from && (effect.only ?? socket) === socket)
          this.#tell(socket, { type: "RESYNC" });
    };
  }

  /** The answer comes when everything that happens now has happened. */
  readonly #answers: (() => void)[] = [];

  #tell(socket: string, message: ServerMessage): void {
    const known = this.#subscribers.get(socket);
    if (!known || known.deaf) return;
    this.told.push(message);
    const answer = known.it.hear(message);
    if (answer) this.#answers.push(() => this.stage.client(known.at, answer, socket));
  }

  live(ms: number): void {
    for (const end = this.stage.now + ms; this.stage.now < end; this.stage.live(10))
      for (const answer of this.#answers.splice(0)) answer();
  }

  subscribe(
    at: NodeId,
    query: Query = { map: "m" },
    socket = `s${this.#subscribers.size}`,
  ): Subscriber {
    const it = new Subscriber(1, query);
    this.#subscribers.set(socket, { at, it, deaf: false });
    this.stage.client(at, it.subscribe(), socket);
    this.live(300);
    expect(it.synced).toBe(true);
    return it;
  }

  /** Where what it needs may be lost. */
  subscribeSlowly(at: NodeId): Subscriber {
    const it = new Subscriber(1, { map: "m" });
    this.#subscribers.set("slow", { at, it, deaf: false });
    this.stage.client(at, it.subscribe(), "slow");
    return it;
  }

  /** It hears nothing until it subscribes again, there. */
  leave(it: Subscriber): void {
    for (const known of this.#subscribers.values()) if (known.it === it) known.deaf = true;
  }

  comeBack(it: Subscriber, to: NodeId): void {
    this.goTo(it, to);
    this.live(1_000);
    expect(it.synced).toBe(true);
  }

  goTo(it: Subscriber, to: NodeId): void {
    for (const [socket, known] of this.#subscribers) {
      if (known.it !== it) continue;
      this.stage.lose(known.at, socket);
      Object.assign(known, { at: to, deaf: false });
      this.stage.client(to, it.subscribe(), socket);
    }
  }

  /** What is said is lost until somebody delivers it. */
  hold(isHeld: (message: ClusterMessage, from: NodeId) => boolean): readonly Letter[] {
    const held: Letter[] = [];
    const { stage } = this;
    const { clusterId: cluster } = stage;
    stage.cut = (from, to, message) => {
      if (from === "coordinator" || from === "front" || !isHeld(message, from)) return false;
      const { term } = stage.node(from).disk.self;
      held.push({ cluster, from, to, message, call: null, term });
      return true;
    };
    return held;
  }

  put(
    keys: readonly string[],
    value: Uint8Array | null = Uint8Array.of(1),
    writer = "writer",
  ): void {
    const ops = keys.map((key) => {
      const stamp = { millis: this.stage.now, counter: this.#counter++, node: writer };
      return { map: "m", key, stamp, value, expiresAt: null };
    });
    this.stage.client(A, { type: "OPS", seq: this.#counter++, ops }, writer);
  }

  ownerOf(id: number): NodeId {
    const owner = this.stage.coordinator.disk.entries.get(PartitionId(id))?.ruling.owner;
    return owner ?? expect.fail("nobody owns it");
  }

  /** What there is, at the owners. */
  rows(): readonly Row[] {
    return [...this.stage.coordinator.disk.entries.keys()].flatMap((id) =>
      (this.stage.node(this.ownerOf(id)).rows.tables[id] ?? []).flatMap(({ row }) =>
        row.value === null ? [] : [row],
      ),
    );
  }

  expectAll(it: Subscriber, rows: readonly Row[] = this.rows()): void {
    const keyed = (all: readonly Row[]): object =>
      Object.fromEntries(all.map((row) => [identityKey(row), row]));
    expect(keyed(it.rows)).toEqual(keyed(rows));
    expect(it.wentBack).toEqual([]);
  }
}

export const keys = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `k${from + i}`);
