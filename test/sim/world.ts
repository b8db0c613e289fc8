/**
 * A cluster under a bad network, crashes and restless operators. Everything that happens is drawn from one
 * seed, so a failure is its seed: `npm run sim -- --seed S`.
 */
import type { CallId } from "../../src/core/machine/cluster-event.ts";
import type { CoordinatorEffect, CoordinatorEvent } from "../../src/core/coordinator/state.ts";
import type { NodeEffect, NodeEvent } from "../../src/core/node/events.ts";
import { ClusterId, Term, type NodeId } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import { Answers } from "./answers.ts";
import { Callers } from "./callers.ts";
import { Checkers, Violation } from "./checkers.ts";
import type { SimClient } from "./client.ts";
import { assertCoded } from "./coded.ts";
import { NO_COUNTS } from "./counts.ts";
import { Crowd } from "./crowd.ts";
import { Cuts } from "./cuts.ts";
import { SimFront } from "./front.ts";
import { Ghosts } from "./ghosts.ts";
import {
  coordinatorHost,
  nodeHost,
  type CoordinatorHost,
  type NodeHost,
  type Surroundings,
} from "./hosts.ts";
import type { Letter } from "./letter.ts";
import { beginAbsences } from "./nemeses/absence.ts";
import { rot } from "./nemeses/rot.ts";
import { Faults } from "./nemeses/faults.ts";
import { Subscribers } from "./subscribers.ts";
import type { Victim } from "./nemeses/nemesis.ts";
import { Storm } from "./nemeses/storm.ts";
import { Network } from "./network.ts";
import { replacementOf, whatIsAskedFor } from "./operator.ts";
import { draw, type Options } from "./options.ts";
import { Prng } from "./prng.ts";
import type { CrashPoint } from "./process.ts";
import { Schedule } from "./schedule.ts";
import { Sdks } from "./sdk/sdks.ts";
import { QUESTIONS, SetTally } from "./set-tally.ts";

const CLUSTER = ClusterId("sim");

export class World {
  readonly options: Options;
  readonly prng: Prng;
  readonly schedule = new Schedule();
  /** What is said is put in words when somebody asks: nearly all of it is forgotten before. */
  readonly #trace: { readonly at: number; readonly line: string | (() => string) }[] = [];
  readonly nodes = new Map<NodeId, NodeHost>();
  /** Nodes as they were when they were destroyed. */
  readonly graves = new Map<NodeId, NodeHost>();
  readonly coordinator: CoordinatorHost;
  readonly checkers: Checkers;
  readonly answers: Answers;
  readonly sets = new SetTally(this);
  readonly counts = { ...NO_COUNTS };
  readonly writesPerPhase = new Map<string, number>();
  /** When the faults ended, and when nothing of them is left to be seen. */
  healedAt: number | null = null;
  calmAt: number | null = null;
  readonly faults = new Faults(this.schedule);
  /** null: this seed is of before there were storms. */
  readonly storm: Storm | null;
  #endAbsences: () => void = () => {};
  readonly #network = new Network(this);
  readonly #crowd: Crowd;
  readonly subscribers: Subscribers;
  readonly sdks: Sdks;
  readonly callers: Callers;
  readonly front: SimFront;
  readonly #cuts = new Cuts(this);
  /** How often each was set: only the last one rings. */
  readonly #alarms = new Map<Sender, number>();
  readonly #ghosts = new Ghosts(this, (effect, term) => this.#perform("coordinator", effect, term));
  readonly #skews = new Map<Sender, number>();

  constructor(seed: number, options: Options = draw(seed)) {
    this.options = options;
    this.prng = new Prng(seed);
    this.storm = options.storm ? new Storm(seed) : null;
    this.coordinator = coordinatorHost(options.config, {
      ...this.#surroundings("coordinator"),
      committed: (before, after) => this.checkers.coordinatorCommitted(before, after),
    });
    this.checkers = new Checkers(this);
    this.answers = new Answers(this);
    this.front = new SimFront(this);
    this.#crowd = new Crowd(this);
    this.subscribers = new Subscribers(this, options.subscribers);
    this.sdks = new Sdks(this, options.sdks);
    this.callers = new Callers(this, options.callers);
  }

  readonly forgotten = (key: string): Row | undefined => this.checkers.forgotten.get(key);

  get clients(): readonly SimClient[] {
    return this.#crowd.clients;
  }

  run(): void {
    const { options, schedule } = this;
    this.#operate({ type: "FETCH_PARTITION_TABLE" });
    this.#every(options.writeEveryMs, () => this.#write());
    this.#every(options.askEveryMs, () => this.#ask());
    this.#every(options.operateEveryMs, () => this.#disturb());
    if (options.crashEveryMs !== null) this.#every(options.crashEveryMs, () => this.#crashOne());
    this.#every(2_000, () => this.#cuts.draw());
    this.#every(3_000, () => this.#ghosts.haunt());
    this.subscribers.begin();
    this.sdks.begin();
    this.callers.begin();
    this.storm?.begin(this.#victimOf(this.storm.prng));
    if (options.forgets) {
      const victim = this.#victimOf(new Prng(options.seed ^ 0xab5e));
      this.#endAbsences = beginAbsences(victim, (id) => this.#absent(id));
    }
    schedule.at(schedule.now + options.chaosMs, () => this.#heal());
    const end = schedule.now + options.chaosMs + CALM_MS;
    if (!schedule.runUntil(end)) throw new Violation("I8", "there is no end to the run");
    this.checkers.atEnd();
    this.callers.ledger.atEnd();
  }

  #every(ms: number, run: () => void): void {
    this.schedule.after(1 + this.prng.below(2 * ms), () => {
      if (this.healed) return;
      run();
      this.#every(ms, run);
    });
  }

  get healed(): boolean {
    return this.healedAt !== null;
  }

  #heal(): void {
    this.healedAt = this.schedule.now;
    this.#cuts.heal();
    this.storm?.end();
    this.#endAbsences();
    this.#ghosts.end();
    this.sdks.healed();
    this.log("healed");
    // Who asked for the cluster may not have been heard, and what was cancelled is wanted again.
    this.#operate({ type: "REBALANCE" });
    this.#replace();
    for (const client of this.clients) this.#crowd.reroute(client);
    for (let i = 0; i < 20; i++) this.schedule.after(this.prng.below(8_000), () => this.#write());
    if (this.options.forgets)
      this.schedule.after(20_000, () => {
        rot(this);
        this.#operate({ type: "REPAIR" });
      });
    // The cluster may sleep when all is done; a last look makes sure that nothing waits for a visitor.
    this.schedule.after(CALM_MS / 2, () => {
      this.calmAt = this.schedule.now;
      for (const client of this.clients) for (const key of this.keys()) client.read(key);
      for (const client of this.clients) client.write(this.keys());
      this.sdks.calm();
      this.callers.calm();
    });
    // Whoever finds owners by chance alone may have waited until then to be served.
    this.schedule.after(CALM_MS / 2 + ASKING_MS, () => {
      if (!this.options.sets) return;
      for (const client of this.clients) for (const asked of QUESTIONS) client.ask(asked);
    });
  }

  #replace(): void {
    if (this.calmAt !== null) return;
    const order = replacementOf(this.coordinator.disk);
    if (order) this.#operate(order);
    this.schedule.after(1_000, () => this.#replace());
  }

  /** Those that are written at this time: what was deleted is to be left alone for long enough to be forgotten. */
  keys(): string[] {
    const first = this.options.forgets ? Math.floor(this.schedule.now / 400) : 0;
    return Array.from({ length: this.options.keys }, (_, i) => `k${first + i}`);
  }

  #write(): void {
    const client = this.prng.pick(this.clients);
    if (client.node === "") return this.#crowd.reroute(client);
    if (client.waiting > 20) return;
    if (this.options.sets && this.prng.chance(0.12)) return client.change();
    const keys = Array.from({ length: 1 + this.prng.below(3) }, () => this.prng.pick(this.keys()));
    if (this.prng.chance(0.005)) client.askMap();
    if (this.prng.chance(0.2)) client.read(this.prng.pick(keys));
    else client.write([...new Set(keys)]);
  }

  #ask(): void {
    if (this.options.sets && this.prng.chance(0.12)) return this.front.increment();
    if (!this.prng.chance(0.7)) return this.front.scan();
    const { askOpsMax } = this.options;
    const ops = askOpsMax > 1 ? 1 + this.prng.below(askOpsMax) : 1;
    this.front.put(Array.from({ length: ops }, () => this.prng.pick(this.keys())));
  }

  #disturb(): void {
    for (const message of whatIsAskedFor(this.prng, this.coordinator.disk, this.options))
      this.#operate(message);
  }

  #operate(message: ClusterMessage): void {
    this.send("front", "coordinator", message);
  }

  #crashOne(): void {
    const hosts: (NodeHost | CoordinatorHost)[] = [this.coordinator, ...this.nodes.values()];
    const victim = this.prng.pick(hosts);
    if (!victim.awake) return;
    this.#crash(this.#nameOf(victim));
    // It wakes on another machine, whose clock may be behind that of the first.
    if (this.prng.chance(0.3)) this.#skews.delete(this.#nameOf(victim));
  }

  #crash(id: Sender): void {
    this.counts.crashes++;
    this.log(`crash ${id}`);
    this.#host(id)?.crash();
    if (id !== "coordinator" && id !== "front") this.subscribers.crashed(id);
  }

  #destroy(id: NodeId): void {
    const host = this.nodes.get(id);
    if (!host) return;
    this.counts["nodes destroyed"]++;
    this.log(`${id} is destroyed`);
    this.checkers.durability.bury(id);
    this.faults.destroy(id);
    this.graves.set(id, host);
    this.nodes.delete(id);
    this.#crowd.leave(id);
    this.subscribers.leave(id);
    this.sdks.destroyed(id);
  }

  /** Its memory is lost; its alarm rings when it is back. */
  #absent(id: NodeId): () => void {
    this.#crash(id);
    const present = this.faults.absent(id);
    return () => {
      present();
      this.counts["absences that ended"]++;
      this.#ring(id, null);
      this.checkers.afterStep();
    };
  }

  #victimOf(prng: Prng): Victim {
    return {
      prng,
      faults: this.faults,
      config: this.options.config,
      nodes: () => [...this.nodes.keys()],
      ruled: () => this.coordinator.disk,
      later: (ms, run) => this.schedule.after(ms, run),
      crash: (id) => {
        if (!this.healed && this.#host(id)?.awake) this.#crash(id);
      },
      destroy: (id) => this.#destroy(id),
      secondCoordinator: () => this.#ghosts.replace(),
      operate: (message) => this.#operate(message),
      log: (line) => this.log(line),
    };
  }

  // ---------------------------------------------------------------- processes

  readonly node = (id: NodeId): NodeHost => {
    const known = this.nodes.get(id);
    if (known) return known;
    const host = nodeHost(id, this.options.config, {
      ...this.#surroundings(id),
      hasClients: () => this.isVisited(id),
      postpone: (event) => this.callers.postpone(id, event),
      committed: (before, after) => this.checkers.nodeCommitted(id, before, after),
    });
    host.onCrash = () => this.sdks.crashed(id);
    host.rows.removing = (partitionId, row) => this.checkers.removes(id, partitionId, row);
    this.nodes.set(id, host);
    return host;
  };

  /** Somebody has a socket to it. */
  readonly isVisited = (id: NodeId): boolean =>
    this.#crowd.isAt(id) || this.subscribers.isAt(id) || this.sdks.isAt(id);

  #surroundings(id: Sender): Surroundings {
    return {
      moment: () => this.moment(id),
      perform: (effect) => this.#perform(id, effect),
      arm: (at) => this.#arm(id, at),
      tick: (at) => this.#tick(id, at),
    };
  }

  /** By the clock of whoever it is told. */
  readonly moment = (id: Sender): { now: number; random: number } => ({
    now: this.schedule.now + this.#skewOf(id),
    random: this.prng.u32() / 2 ** 32,
  });

  #skewOf(id: Sender): number {
    const { skewMsMax } = this.options;
    const skew = this.#skews.get(id) ?? this.prng.below(2 * skewMsMax + 1) - skewMsMax;
    this.#skews.set(id, skew);
    return skew + this.faults.clockOf(id);
  }

  readonly crashPoint = (): CrashPoint | null => {
    if (this.healed || !this.prng.chance(this.options.crashInStepRate)) return null;
    this.counts.crashes++;
    return this.prng.chance(0.5) ? "before-commit" : "after-commit";
  };

  #arm(id: Sender, at: number): void {
    const token = (this.#alarms.get(id) ?? 0) + 1;
    this.#alarms.set(id, token);
    this.#byItsClock(id, at, () => {
      // Set again meanwhile, to come earlier.
      if (this.#alarms.get(id) !== token) return;
      const crash = this.crashPoint();
      this.#ring(id, crash);
      // An alarm that failed is tried again by the platform.
      if (crash === "before-commit") this.#arm(id, this.schedule.now + this.#skewOf(id) + 100);
      this.checkers.afterStep();
    });
  }

  /** Or later, where it cannot. */
  #byItsClock(id: Sender, at: number, run: () => void): void {
    this.schedule.at(at - this.#skewOf(id), () => this.faults.at(id, run));
  }

  #ring(id: Sender, crash: CrashPoint | null): void {
    const host = this.#host(id);
    host?.rang();
    host?.deliver({ type: "woke", ...this.moment(id) }, crash);
  }

  /** Only in the life in which it was set. */
  #tick(id: Sender, at: number): void {
    this.#byItsClock(id, at, () => {
      const host = this.#host(id);
      if (!host?.ticked(at)) return;
      host.deliver({ type: "woke", ...this.moment(id) }, this.crashPoint());
      this.checkers.afterStep();
    });
  }

  #host(id: Sender): NodeHost | CoordinatorHost | null {
    if (id === "front" || this.faults.isDestroyed(id)) return null;
    return id === "coordinator" ? this.coordinator : this.node(id);
  }

  #perform(from: Sender, effect: NodeEffect | CoordinatorEffect, term = this.#termOf(from)): void {
    if (from !== "coordinator") this.sdks.hear(from, effect);
    switch (effect.type) {
      case "send":
        return void this.send(from, effect.to, effect.message, term);
      case "answer":
        return this.#network.answer(from, effect.call, effect.message, term);
      case "push":
        return this.#crowd.push(effect.socket, effect.message);
      case "attach":
        return this.#crowd.attach(effect.socket, effect.session);
      case "push-map":
        return this.#crowd.pushMap(from, effect.news);
      case "tell":
      case "resync":
        return this.subscribers.told(from, effect);
      case "close-sockets":
        this.subscribers.leave(from);
        return this.#crowd.leave(from);
      default:
    }
  }

  send(from: Sender, to: Sender, message: ClusterMessage, term = this.#termOf(from)): CallId {
    return this.#network.send(from, to, message, term);
  }

  #termOf(from: Sender): Term {
    if (from === "coordinator") return this.coordinator.disk.cluster?.term ?? Term(0);
    return from === "front" ? Term(0) : this.node(from).disk.self.term;
  }

  arrive({ from, to, message, call, term }: Letter): void {
    if (to === "front") return;
    this.counts.messages++;
    if (message.type === "ROW_OFFER") this.counts.offered++;
    if (from === "front" && message.type === "OP_FORWARD") this.front.arrived(message.ops);
    if (this.counts.messages % CODED_EVERY === 0) assertCoded(from, message);
    const facts = { type: "message", clusterId: CLUSTER, from, term, message, call } as const;
    const event = { ...facts, ...this.moment(to) };
    if (to === "coordinator") this.checkers.asks(message);
    if (to === "coordinator") this.#toCoordinator(event);
    else this.#toNode(to, event);
    this.checkers.afterStep();
  }

  #toCoordinator(event: Extract<CoordinatorEvent, { type: "message" }>): void {
    const rest = this.#ghosts.share(event);
    if (!rest) return;
    this.checkers.heardBy(event, this.coordinator.lives);
    this.checkers.force(event.message);
    this.coordinator.deliver(rest, this.crashPoint());
    this.checkers.force(null);
  }

  #toNode(to: NodeId, event: Extract<NodeEvent, { type: "message" }>): void {
    const host = this.node(to);
    const before = host.awake && event.from === "coordinator" ? host.disk : null;
    host.deliver(event, this.crashPoint());
    if (before) this.checkers.obeyed(event.term, before, host.disk);
  }

  readonly log = (line: string | (() => string)): void => {
    this.#trace.push({ at: this.schedule.now, line });
    if (this.#trace.length > 4_000) this.#trace.splice(0, 2_000);
  };

  get trace(): readonly string[] {
    return this.#trace.map(({ at, line }) => `${at} ${typeof line === "string" ? line : line()}`);
  }

  #nameOf(host: NodeHost | CoordinatorHost): Sender {
    for (const [id, it] of this.nodes) if (it === host) return id;
    return "coordinator";
  }
}

const CALM_MS = 90_000;
/** After the last writes. */
const ASKING_MS = 20_000;
/** Coding every message would take most of a run. */
const CODED_EVERY = 16;
