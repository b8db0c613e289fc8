/** An application with a client of its own: what it asks for, when it is offline, and what its clock says. */
import type { Draft } from "../../../src/client/machine/ask.ts";
import { addsOf, type ElementOf } from "../../../src/client/machine/removals.ts";
import type { Settings } from "../../../src/client/machine/client-state.ts";
import type { ServerMessage } from "../../../src/protocol/client-messages.ts";
import { ClusterId } from "../../../src/data/ids.ts";
import { encodeJson } from "../../../src/protocol/values.ts";
import { Prng } from "../prng.ts";
import type { CountDraft } from "../set-tally.ts";
import type { World } from "../world.ts";
import { Following } from "./following.ts";
import { Ledger } from "./ledger.ts";
import type { Links } from "./links.ts";
import { SimSdk, type Inward } from "./sdk.ts";
import type { Tally } from "./tally.ts";

/** Long after the faults. */
const SETTLED_IN_CALM_MS = 1_000;

export class Application {
  readonly sdk: SimSdk;
  readonly ledger: Ledger;
  readonly following: Following;
  readonly #world: World;
  readonly #prng: Prng;
  readonly #links: Links;
  readonly #tally: Tally;
  #mapVersion = 0;
  #written = 0;

  constructor(name: string, world: World, links: Links, tally: Tally) {
    this.#world = world;
    this.#links = links;
    this.#tally = tally;
    this.#prng = new Prng(world.options.seed ^ hashOf(name));
    const settings = drawSettings(name, this.#prng);
    this.ledger = new Ledger(world, tally, settings);
    this.sdk = new SimSdk(settings, this.#drawSkew(), this.#prng, {
      schedule: world.schedule,
      links,
      tell: (effect) => this.#hear(effect),
      sends: (message) => this.ledger.sends(message),
      answered: (frame, message) => this.ledger.answered(frame, message),
      linked: (link, works) => {
        tally.add(works ? "connections that worked" : "connections lost");
        this.following.linked(link, works);
      },
      heard: (link, message) => {
        this.#count(message);
        this.following.heard(link, message);
      },
      stepped: ({ router }) => this.#watchMap(router.map?.version ?? 0),
    });
    const query = this.#prng.chance(0.6) ? { map: "m" } : { map: "m", prefix: "k1" };
    this.following = new Following(world, tally, this.sdk, query);
  }

  begin(): void {
    const { schedule } = this.#world;
    schedule.after(this.#prng.below(2_000), () => this.sdk.do({ type: "begin", known: null }));
    schedule.after(this.#prng.below(6_000), () =>
      this.sdk.go(() => this.following.open(this.ledger.pending)),
    );
    const everyMs = 20 + this.#prng.below(400);
    this.#every(everyMs, () => this.#act());
    if (this.#prng.chance(0.7)) this.#every(3_000, () => this.#goOffline());
    if (this.#prng.chance(0.4)) this.#every(2_000, () => this.#setClock());
  }

  #every(ms: number, run: () => void): void {
    this.#world.schedule.after(1 + this.#prng.below(2 * ms), () => {
      if (this.#world.healed) return;
      run();
      this.#every(ms, run);
    });
  }

  /** By the bound of all clocks, and now and then far beyond what nodes take. */
  #drawSkew(): number {
    const { skewMsMax } = this.#world.options;
    const max = this.#prng.chance(0.2) ? 150_000 : skewMsMax;
    return this.#prng.below(2 * max + 1) - max;
  }

  #setClock(): void {
    this.#tally.add("clocks of clients set");
    // One that jumps ahead of every clock is noticed by what nodes refuse.
    const jumps = this.#prng.chance(0.5);
    this.sdk.skewMs = jumps ? this.sdk.skewMs + this.#prng.below(150_000) : this.#drawSkew();
    this.ledger.clockSetAt = this.#world.schedule.now;
  }

  #goOffline(): void {
    const { schedule, log } = this.#world;
    const { replicaId } = this.sdk.settings;
    if (this.#links.offline.has(replicaId)) return;
    this.#tally.add("offline spans");
    log(`${replicaId} is offline`);
    this.#links.offline.add(replicaId);
    this.#links.breakAll(replicaId, true);
    // Some systems say so.
    if (this.#prng.chance(0.5)) this.sdk.go(() => this.sdk.giveUpSockets());
    schedule.after(this.#prng.below(4_000), () => this.online());
  }

  online(): void {
    this.#links.offline.delete(this.sdk.settings.replicaId);
  }

  // ---------------------------------------------------------------- what it asks for

  #act(): void {
    // Before the map is known nothing can be asked for: `connect` has not resolved.
    if (!this.sdk.client.router.map) return;
    const many = this.#prng.chance(0.05) ? 40 : 4;
    this.sdk.go(() => {
      for (let n = 1 + this.#prng.below(many); n > 0; n--) this.#ask();
    });
  }

  #ask(): void {
    const { sets } = this.#world;
    const what = this.#prng.below(100);
    if (what < 25) return this.#read();
    if (what < 60) return this.#write();
    const draft = this.#doubled(sets.draft(this.#prng));
    // Of each counter one thing is under way: what lacks a backup keeps the rest waiting for all its patience.
    const rarely = this.#prng.chance(0.2) ? this.#ackLevel() : "owner";
    if (draft.type === "count") this.sdk.do({ ...draft, ack: rarely });
    else {
      const behind = draft.type === "remove" ? this.#addsOf(draft) : [];
      this.sdk.do({ type: "write", draft, ttlMs: null, ack: this.#ackLevel(), behind });
    }
  }

  /** Instead of what it has added and nobody has answered, it may take that out again. */
  #doubled(draft: Draft | CountDraft): Draft | CountDraft {
    if (draft.type !== "add" || this.#addsOf(draft).length === 0) return draft;
    if (this.#prng.chance(0.5)) return draft;
    const { map, key, value } = draft;
    return { type: "remove", map, key, value, tags: [] };
  }

  #addsOf(of: ElementOf): readonly number[] {
    return addsOf(this.sdk.client.outbox.removals, of);
  }

  #read(): void {
    const key = this.#prng.pick(this.#world.keys());
    this.sdk.do({ type: "read", key: { map: "m", key } });
  }

  #write(ack = this.#ackLevel()): void {
    const key = this.#prng.pick(this.#world.keys());
    const ttlMs = this.#prng.chance(0.15) ? 1 + this.#prng.below(8_000) : null;
    const value = this.#prng.chance(0.25) ? null : this.#value();
    this.sdk.do({ type: "write", draft: { map: "m", key, value }, ttlMs, ack });
  }

  #value(): Uint8Array {
    const padding = "x".repeat(this.#prng.below(this.#world.options.valueBytesMax));
    const json = encodeJson(`${this.sdk.settings.clientId}:${++this.#written}:${padding}`, "value");
    if (!json.ok) throw new Error(json.error.message);
    return json.value;
  }

  #ackLevel(): "owner" | "backup" {
    const { backupCount } = this.#world.options.config;
    return this.#prng.chance(backupCount > 0 ? 0.25 : 0.05) ? "backup" : "owner";
  }

  /** Long after the faults, when all is answered at once. */
  lookAround(): void {
    const { schedule } = this.#world;
    const since = schedule.now;
    this.sdk.go(() => {
      for (const key of this.#world.keys()) this.sdk.do({ type: "read", key: { map: "m", key } });
      this.#write("owner");
    });
    schedule.after(SETTLED_IN_CALM_MS, () => this.#allSettled(since));
  }

  // ---------------------------------------------------------------- what it is told

  #hear(effect: Inward): void {
    switch (effect.type) {
      case "taken":
        this.ledger.taken(effect.ask);
        return this.following.taken(effect.ask);
      case "not-taken":
        return this.#tally.add(`not taken ${effect.error.code}`);
      case "settled":
        this.ledger.settled(effect.all);
        for (const each of effect.all) this.following.settled(each);
        return;
      case "restamped":
        this.ledger.restamped(effect.writes);
        return this.following.restamped(effect.writes);
      case "over":
        return this.#fail(`it is over: ${effect.error.code}`);
      case "ready":
    }
  }

  #count({ type }: ServerMessage): void {
    if (type === "NOT_OWNER") this.#tally.add("notices NOT_OWNER");
    if (type === "MAP_DELTA") this.#tally.add("deltas of the map");
  }

  /** I16 holds for these, too. */
  #watchMap(version: number): void {
    const { checkers } = this.#world;
    if (version < this.#mapVersion)
      checkers.fail(
        "I16",
        `${this.sdk.settings.replicaId} had ${this.#mapVersion}, now ${version}`,
      );
    this.#mapVersion = version;
  }

  /** R-client: nothing waits for ever. */
  #allSettled(since = 0): void {
    for (const { ask, at } of this.ledger.open.values())
      if (at >= since)
        this.#fail(`${"key" in ask ? ask.key.key : ask.op.key} of ${at} is not settled`);
  }

  atEnd(): void {
    if (!this.sdk.client.router.map) this.#fail("it never had a map");
    this.#allSettled();
    this.following.atEnd();
  }

  #fail(message: string): never {
    return this.#world.checkers.fail("R-client", `${this.sdk.settings.replicaId}: ${message}`);
  }
}

function drawSettings(name: string, prng: Prng): Settings {
  return {
    clientId: name,
    replicaId: `${name}.1`,
    cluster: ClusterId("sim"),
    mode: prng.chance(0.6) ? "direct" : "gateway",
    outboxMax: prng.chance(0.3) ? 10 + prng.below(40) : 10_000,
    patienceMs: 300 + prng.below(6_000),
    answerMs: prng.chance(0.3) ? 15_000 : 400 + prng.below(4_000),
  };
}

function hashOf(name: string): number {
  let hash = 0x5d4b;
  for (const char of name) hash = Math.imul(hash, 31) + char.charCodeAt(0);
  return hash >>> 0;
}
