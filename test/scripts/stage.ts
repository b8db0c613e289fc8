/**
 * A cluster whose network does nothing by itself: every message waits until a command delivers, drops or
 * repeats it. Time stands still until a command advances it. The machines are those of production.
 */
import type { Actors } from "../../src/core/actor/definition.ts";
import { Runner } from "../../src/core/actor/runner.ts";
import { DEFAULTS, validate, type Config } from "../../src/core/config.ts";
import { coordinator } from "../../src/core/coordinator/coordinator.ts";
import { initialCoordinator, wakeCoordinator } from "../../src/core/coordinator/state.ts";
import type {
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorSaved,
  CoordinatorState,
} from "../../src/core/coordinator/state.ts";
import type {
  CallId,
  ClusterEffect,
  ClusterEvent,
  Moment,
} from "../../src/core/machine/cluster-event.ts";
import type { ClientFrame, NodeEffect, NodeEvent, Notice } from "../../src/core/node/events.ts";
import { NO_FLOW } from "../../src/core/node/flow.ts";
import { node } from "../../src/core/node/node.ts";
import { initialNode, wake, type NodeSaved, type NodeState } from "../../src/core/node/state.ts";
import { ClusterId, Term, Version, type NodeId } from "../../src/data/ids.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import { Errands } from "../../src/objects/errands.ts";
import { assertCoded } from "../sim/coded.ts";
import { SimHost, type CrashPoint } from "../sim/process.ts";
import type { CoordinatorHost, NodeHost } from "../sim/hosts.ts";
import { fail } from "./fail.ts";
import { showAnswer, showMessage, showRuling } from "./show.ts";

/** One message on its way. `call` null: it is the answer to one. */
export interface Letter {
  /** Of the sender. */
  readonly cluster: ClusterId;
  readonly from: Sender;
  readonly to: Sender;
  readonly message: ClusterMessage;
  readonly call: CallId | null;
  readonly term: Term;
  /** Where it comes from another cluster: how its answer gets there. */
  readonly answered?: (answer: Letter) => void;
}

/** Whoever waits for the answer; one in another cluster is told in its own way. */
type Caller = Sender | ((answer: Letter) => void);

const ROUNDS_MAX = 500;
/** At one moment: more means that somebody answers somebody, or wakes up, for ever. */
const EVENTS_MAX = 50_000;

interface Ring {
  readonly rings: Map<Sender, number>;
  readonly id: Sender;
  readonly at: number;
}

export class Stage {
  now = 1_000;
  readonly clusterId: ClusterId;
  letters: Letter[] = [];
  /** Filled by what happens; emptied by whoever shows it. */
  readonly lines: string[] = [];
  readonly answers: ServerMessage[] = [];
  readonly notices: Notice[] = [];
  readonly delivered = new Map<string, number>();
  readonly nodes = new Map<NodeId, NodeHost>();
  readonly coordinator: CoordinatorHost;
  readonly config: Config;
  /** By how much each clock is ahead, ms. Set before anything happens, or not at all. */
  readonly clocks = new Map<Sender, number>();
  /** What the network loses on the way. */
  cut: (from: Sender, to: Sender, message: ClusterMessage) => boolean = () => false;
  /** What is for another cluster. */
  abroad: (cluster: ClusterId, letter: Letter, answered: (answer: Letter) => void) => void =
    () => {};
  /** What subscribers are told. */
  told: (from: Sender, effect: Extract<NodeEffect, { readonly type: "tell" | "resync" }>) => void =
    () => {};
  /** Actors of whoever plays. */
  actors: Actors = {};
  readonly #errands = new Map<Sender, Errands>();
  /** True: a decision that takes time, which whoever plays delivers. */
  postpone: (id: NodeId, event: NodeEvent) => boolean = () => false;
  #calls = 0;
  /** Sockets outlive the memory of their node. */
  hasClients = false;
  #lastAt = 0;
  #atOnce = 0;
  readonly #callers = new Map<CallId, Caller>();
  readonly #alarms = new Map<Sender, number>();
  readonly #ticks = new Map<Sender, number>();

  constructor(settings: Partial<Config>, clusterId = ClusterId("play")) {
    this.clusterId = clusterId;
    // Several deltas under way at a time show what happens when they overtake each other.
    this.config = validate({ ...DEFAULTS, backupCount: 0, deltaWindow: 4, ...settings });
    this.coordinator = new SimHost<
      CoordinatorState,
      CoordinatorEvent,
      CoordinatorEffect,
      CoordinatorSaved
    >(initialCoordinator(this.config).saved, {
      machine: coordinator,
      kind: {
        wake: (saved) => wakeCoordinator(this.config, saved),
        saved: (state) => state.saved,
        digestKey: () => ({ a: 0, b: 0 }),
      },
      started: () => ({ type: "started", ...this.#moment("coordinator") }),
      perform: (effect) => this.#perform("coordinator", effect),
      arm: (at) => void this.#alarms.set("coordinator", this.#trueTime("coordinator", at)),
      tick: (at) => void this.#ticks.set("coordinator", this.#trueTime("coordinator", at)),
      committed: (before, after) => this.#ruled(before, after),
    });
  }

  node(id: NodeId): NodeHost {
    const known = this.nodes.get(id);
    if (known) return known;
    const host = new SimHost<NodeState, NodeEvent, NodeEffect, NodeSaved>(
      initialNode(this.config).saved,
      {
        machine: node,
        kind: {
          wake: (saved) => wake(this.config, saved),
          saved: (state) => state.saved,
          digestKey: (state) => state.saved.self.digestKey,
        },
        started: () => ({
          type: "started",
          host: `object-${id}`,
          hasClients: this.hasClients,
          ...this.#moment(id),
        }),
        perform: (effect) => this.#perform(id, effect),
        arm: (at) => void this.#alarms.set(id, this.#trueTime(id, at)),
        tick: (at) => void this.#ticks.set(id, this.#trueTime(id, at)),
        committed: () => {},
        runner: new Runner(
          () => this.actors,
          (effect) => this.#errandsOf(id).of(effect),
        ),
        postpone: (event) => this.postpone(id, event),
      },
    );
    this.nodes.set(id, host);
    return host;
  }

  /** Of actors whose decisions are made there. */
  #errandsOf(id: NodeId): Errands {
    const known = this.#errands.get(id);
    if (known) return known;
    const errands = new Errands(
      (frame) => void this.#submit(id, frame),
      () => this.now + this.#clockOf(id),
    );
    this.#errands.set(id, errands);
    return errands;
  }

  /** As an inbox does, not within the event that asks for it. */
  async #submit(id: NodeId, frame: ClientFrame): Promise<void> {
    await Promise.resolve();
    this.node(id).deliver({ type: "frames", frames: [frame], ...this.#moment(id) });
  }

  /** From outside: an operator or the front. */
  ask(message: ClusterMessage, to: Sender = "coordinator"): void {
    this.#post("front", to, message);
  }

  client(at: NodeId, message: ClientMessage, socket = "client"): void {
    this.frames(at, [message], socket);
  }

  /** Frames that are told together. */
  frames(at: NodeId, messages: readonly ClientMessage[], socket = "client"): void {
    const newest = Version(Number.MAX_SAFE_INTEGER);
    const known = { mapVersion: newest, viewVersion: newest };
    const session = { clientId: socket, forward: true, ...known };
    const frames = messages.map((message) => ({ socket, session, flow: NO_FLOW, message }));
    this.node(at).deliver({ type: "frames", frames, ...this.#moment(at) });
  }

  /** What has taken time is there by now. */
  late(at: NodeId, event: Extract<NodeEvent, { type: "decided" }>): void {
    this.node(at).deliver({ ...event, tag: { ...event.tag, ...this.#moment(at) } });
  }

  /** The same once more. Who answers it answers that one, too. */
  again(letter: Letter): Letter {
    if (letter.call === null) return { ...letter };
    const call = ++this.#calls;
    this.#callers.set(call, letter.answered ?? letter.from);
    return { ...letter, call };
  }

  /** A socket of this node has closed, or was not told something. */
  lose(at: NodeId, socket: string): void {
    this.node(at).deliver({ type: "lost", socket, ...this.#moment(at) });
  }

  /** From another cluster. */
  receive(letter: Letter, answered: (answer: Letter) => void): void {
    const call = ++this.#calls;
    this.#callers.set(call, answered);
    this.letters.push({ ...letter, call, answered });
  }

  deliver(letter: Letter, crash: CrashPoint | null = null): void {
    const { cluster: clusterId, from, to, message } = letter;
    this.#countAtOnce();
    assertCoded(from, message);
    this.lines.push(`${this.#nameOf(letter)} → ${to} ${showMessage(message)}`);
    this.delivered.set(message.type, (this.delivered.get(message.type) ?? 0) + 1);
    const { call, term } = letter;
    const facts = { type: "message", clusterId, from, term, message, call } as const;
    this.#tell(to, { ...facts, ...this.#moment(to) }, crash);
  }

  #countAtOnce(): void {
    this.#atOnce = this.#lastAt === this.now ? this.#atOnce + 1 : 0;
    this.#lastAt = this.now;
    if (this.#atOnce > EVENTS_MAX) fail("this goes on without an end");
  }

  /** Lets time go by; alarms and timers ring in their order. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (let next = this.#nextRing(end); next; next = this.#nextRing(end)) {
      const { rings, id, at } = next;
      rings.delete(id);
      const host = this.#host(id);
      if (rings === this.#alarms) host?.rang();
      else if (!host?.ticked(at + this.#clockOf(id))) continue;
      this.now = Math.max(this.now, at);
      this.#countAtOnce();
      this.lines.push(`${id} wakes at ${this.now}`);
      this.#tell(id, { type: "woke", ...this.#moment(id) }, null);
    }
    this.now = end;
  }

  /** Delivers everything in order, and lets time go by, until nothing more happens. */
  settle(): void {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      for (let next = this.letters.shift(); next; next = this.letters.shift()) this.deliver(next);
      if (this.#alarms.size === 0 && this.#ticks.size === 0) return;
      this.advance(1_000);
    }
    fail("this does not come to rest");
  }

  /** Delivers everything at once, and lets so much time go by. */
  live(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.advance(Math.min(10, end - this.now)))
      for (let next = this.letters.shift(); next; next = this.letters.shift()) this.deliver(next);
  }

  #nextRing(end: number): Ring | undefined {
    const due = [this.#alarms, this.#ticks].flatMap((rings) =>
      [...rings].map(([id, at]) => ({ rings, id, at })).filter(({ at }) => at <= end),
    );
    return due.toSorted((a, b) => a.at - b.at)[0];
  }

  #host(id: Sender): NodeHost | CoordinatorHost | null {
    if (id === "front") return null;
    return id === "coordinator" ? this.coordinator : this.node(id);
  }

  #tell(to: Sender, event: ClusterEvent, crash: CrashPoint | null): void {
    this.#host(to)?.deliver(event, crash);
    if (crash) this.lines.push(`  ${to} crashes ${crash.replace("-", " ")}`);
  }

  /** By the clock of whoever it is told. */
  #moment(id: Sender): Moment {
    return { now: this.now + this.#clockOf(id), random: 0.5 };
  }
  #clockOf(id: Sender): number {
    return this.clocks.get(id) ?? 0;
  }
  #trueTime(id: Sender, at: number): number {
    return at - this.#clockOf(id);
  }

  #perform(from: Sender, effect: NodeEffect | CoordinatorEffect): void {
    switch (effect.type) {
      case "send":
        return effect.cluster === undefined
          ? this.#post(from, effect.to, effect.message)
          : this.#leave(effect.cluster, { from, ...effect });
      case "answer":
        return this.#answer(from, effect);
      case "push":
        if (this.#errands.get(from)?.hear(effect.socket, effect.message)) return;
        this.answers.push(effect.message);
        this.lines.push(`  client: ${showAnswer(effect.message)}`);
        return;
      case "tell":
      case "resync":
        return this.told(from, effect);
      case "notice":
        return void this.notices.push(effect.notice);
      default:
    }
  }

  #answer(from: Sender, { call, message }: Extract<ClusterEffect, { type: "answer" }>): void {
    const to = this.#callers.get(call);
    this.#callers.delete(call);
    if (to === "front") this.lines.push(`  operator: ${showMessage(message)}`);
    else if (typeof to === "string") this.#put({ from, to, message, call: null });
    else to?.(this.#sealed({ from, to: "front", message, call: null }));
  }

  /** An answer comes back as any letter does. */
  #leave(
    cluster: ClusterId,
    { from, to, message }: { from: Sender; to: Sender; message: ClusterMessage },
  ): void {
    const letter = this.#sealed({ from, to, message, call: null });
    this.lines.push(`  ${from} → ${cluster}/${to} ${showMessage(message)}`);
    this.abroad(cluster, letter, (answer) => this.letters.push({ ...answer, to: from }));
  }

  #post(from: Sender, to: Sender, message: ClusterMessage): void {
    const call = ++this.#calls;
    this.#callers.set(call, from);
    this.#put({ from, to, message, call });
  }

  #sealed(letter: Omit<Letter, "term" | "cluster">): Letter {
    return { ...letter, cluster: this.clusterId, term: this.#termOf(letter.from) };
  }

  #nameOf({ cluster, from }: Letter): string {
    return cluster === this.clusterId ? from : `${cluster}/${from}`;
  }

  #put(letter: Omit<Letter, "term" | "cluster">): void {
    const { from, to, message } = letter;
    if (this.cut(from, to, message)) return;
    this.letters.push(this.#sealed(letter));
    if (from !== "front") this.lines.push(`  ${from} → ${to} ${showMessage(message)}`);
  }

  #termOf(from: Sender): Term {
    if (from === "coordinator") return this.coordinator.disk.cluster?.term ?? Term(0);
    return from === "front" ? Term(0) : this.node(from).disk.self.term;
  }

  #ruled(before: CoordinatorSaved, after: CoordinatorSaved): void {
    for (const [id, { ruling }] of after.entries) {
      const known = before.entries.get(id)?.ruling.epoch ?? 0;
      if (ruling.epoch > known) this.lines.push(`  ruling ${showRuling(ruling)}`);
    }
  }
}
