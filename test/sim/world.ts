/**
 * A cluster under a bad network, crashes and restless operators. Everything that happens is drawn from one
 * seed, so a failure is its seed: `npm run sim -- --seed S`.
 */
import type { NodeEffect, NodeEvent } from "../../src/core/node/events.ts";
import type { CallId } from "../../src/core/machine/cluster-event.ts";
import { coordinator } from "../../src/core/coordinator/coordinator.ts";
import {
  initialCoordinator,
  wakeCoordinator,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorSaved,
  type CoordinatorState,
} from "../../src/core/coordinator/state.ts";
import { NO_FLOW } from "../../src/core/node/flow.ts";
import { node } from "../../src/core/node/node.ts";
import { initialNode, wake, type NodeSaved, type NodeState } from "../../src/core/node/state.ts";
import { ClusterId, NodeId, Term } from "../../src/data/ids.ts";
import type { ClientMessage, ClientOp, ServerMessage } from "../../src/protocol/client-messages.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import { Answers } from "./answers.ts";
import { Checkers } from "./checkers.ts";
import { assertCoded } from "./coded.ts";
import { SimClient } from "./client.ts";
import { NO_COUNTS } from "./counts.ts";
import { Cuts } from "./cuts.ts";
import { describe } from "./describe.ts";
import { SimFront } from "./front.ts";
import type { CoordinatorHost, NodeHost } from "./hosts.ts";
import type { Letter } from "./letter.ts";
import { whatIsAskedFor } from "./operator.ts";
import { draw, type Options } from "./options.ts";
import { Prng } from "./prng.ts";
import { SimHost, type CrashPoint } from "./process.ts";
import { Schedule } from "./schedule.ts";
import { SimSockets } from "./sockets.ts";

const CLUSTER = ClusterId("sim");

export class World {
  readonly options: Options;
  readonly prng: Prng;
  readonly schedule = new Schedule();
  readonly trace: string[] = [];
  readonly nodes = new Map<NodeId, NodeHost>();
  readonly clients: SimClient[] = [];
  readonly coordinator: CoordinatorHost;
  readonly checkers: Checkers;
  readonly answers: Answers;
  readonly counts = { ...NO_COUNTS };
  readonly writesPerPhase = new Map<string, number>();
  /** When the faults ended, and when nothing of them is left to be seen. */
  healedAt: number | null = null;
  calmAt: number | null = null;
  #calls = 0;
  readonly #callers = new Map<CallId, { from: Sender; to: Sender }>();
  /** How often each was set: only the last one rings. */
  readonly #alarms = new Map<Sender, number>();
  readonly #sockets = new SimSockets();
  readonly #cuts = new Cuts(this);
  /** Come at a node, not told yet. */
  readonly #frames = new Map<string, { socket: string; message: ClientMessage }[]>();
  /** An instance of the coordinator that has been replaced. */
  #ghost: CoordinatorHost | null = null;
  readonly #front: SimFront;
  readonly #skews = new Map<Sender, number>();

  constructor(seed: number, options: Options = draw(seed)) {
    this.options = options;
    this.prng = new Prng(seed);
    this.coordinator = this.#makeCoordinator();
    this.checkers = new Checkers(this);
    this.answers = new Answers(this);
    this.#front = new SimFront(this);
    for (let i = 0; i < options.clients; i++) this.#addClient(i);
  }

  run(): void {
    const { options, schedule } = this;
    this.#operate({ type: "FETCH_PARTITION_TABLE" });
    this.#every(options.writeEveryMs, () => this.#write());
    this.#every(options.askEveryMs, () => this.#ask());
    this.#every(options.operateEveryMs, () => this.#disturb());
    if (options.crashEveryMs !== null) this.#every(options.crashEveryMs, () => this.#crashOne());
    this.#every(2_000, () => this.#cuts.draw());
    this.#every(3_000, () => this.#haunt());
    schedule.at(schedule.now + options.chaosMs, () => this.#heal());
    const end = schedule.now + options.chaosMs + CALM_MS;
    while (schedule.nextAt <= end) schedule.step();
    this.checkers.atEnd();
  }

  // ---------------------------------------------------------------- what the outside does

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
    this.#ghost = null;
    this.log("healed");
    // Who asked for the cluster may not have been heard.
    if (!this.coordinator.disk.cluster) this.#operate({ type: "FETCH_PARTITION_TABLE" });
    for (const client of this.clients) this.#reroute(client);
    for (let i = 0; i < 20; i++) this.schedule.after(this.prng.below(8_000), () => this.#write());
    // The cluster may sleep when all is done; a last look makes sure that nothing waits for a visitor.
    this.schedule.after(CALM_MS / 2, () => {
      this.calmAt = this.schedule.now;
      for (const client of this.clients) for (const key of this.keys()) client.read(key);
      for (const client of this.clients) client.write(this.keys());
    });
  }

  keys(): string[] {
    return Array.from({ length: this.options.keys }, (_, i) => `k${i}`);
  }

  #write(): void {
    const client = this.prng.pick(this.clients);
    if (client.node === "") return this.#reroute(client);
    if (client.outbox.size > 20) return;
    const keys = Array.from({ length: 1 + this.prng.below(3) }, () => this.prng.pick(this.keys()));
    if (this.prng.chance(0.005)) client.askMap();
    if (this.prng.chance(0.2)) client.read(this.prng.pick(keys));
    else client.write([...new Set(keys)]);
  }

  #ask(): void {
    if (this.prng.chance(0.7)) this.#front.put(this.prng.pick(this.keys()));
    else this.#front.scan();
  }

  #disturb(): void {
    const { partitionCount } = this.options.config;
    for (const message of whatIsAskedFor(this.prng, this.coordinator.disk, partitionCount))
      this.#operate(message);
  }

  #operate(message: ClusterMessage): void {
    this.send("front", "coordinator", message);
  }

  #crashOne(): void {
    const hosts: (NodeHost | CoordinatorHost)[] = [this.coordinator, ...this.nodes.values()];
    const victim = this.prng.pick(hosts);
    if (!victim.awake) return;
    this.counts.crashes++;
    this.log(`crash ${this.#nameOf(victim)}`);
    victim.crash();
    // It wakes on another machine, whose clock may be behind that of the first.
    if (this.prng.chance(0.3)) this.#skews.delete(this.#nameOf(victim));
  }

  /** The coordinator goes on elsewhere, and its old instance does not know. */
  #haunt(): void {
    const { cluster } = this.coordinator.disk;
    if (!cluster || !this.prng.chance(this.options.ghostRate)) return;
    this.#ghost = this.coordinator.ghost((effect) =>
      this.#perform("coordinator", effect, cluster.term),
    );
    if (!this.#ghost) return;
    this.counts.ghosts++;
    this.log("the coordinator is replaced");
    this.coordinator.crash();
  }

  // ---------------------------------------------------------------- processes

  #makeCoordinator(): CoordinatorHost {
    const { config } = this.options;
    return new SimHost<CoordinatorState, CoordinatorEvent, CoordinatorEffect, CoordinatorSaved>(
      initialCoordinator(config).saved,
      {
        machine: coordinator,
        kind: {
          wake: (saved) => wakeCoordinator(config, saved),
          saved: (state) => state.saved,
          digestKey: () => ({ a: 0, b: 0 }),
        },
        started: () => ({ type: "started", ...this.#moment("coordinator") }),
        perform: (effect) => this.#perform("coordinator", effect),
        arm: (at) => this.#arm("coordinator", at),
        tick: (at) => this.#tick("coordinator", at),
        committed: (before, after) => this.checkers.coordinatorCommitted(before, after),
      },
    );
  }

  #node(id: NodeId): NodeHost {
    const known = this.nodes.get(id);
    if (known) return known;
    const { config } = this.options;
    const host = new SimHost<NodeState, NodeEvent, NodeEffect, NodeSaved>(
      initialNode(config).saved,
      {
        machine: node,
        kind: {
          wake: (saved) => wake(config, saved),
          saved: (state) => state.saved,
          digestKey: (state) => state.saved.self.digestKey,
        },
        started: () => ({
          type: "started",
          host: `object-${id}`,
          hasClients: this.#hasClients(id),
          ...this.#moment(id),
        }),
        perform: (effect) => this.#perform(id, effect),
        arm: (at) => this.#arm(id, at),
        tick: (at) => this.#tick(id, at),
        committed: (before, after) => this.checkers.nodeCommitted(id, before, after),
      },
    );
    this.nodes.set(id, host);
    return host;
  }

  /** By the clock of whoever it is told. */
  #moment(id: Sender): { now: number; random: number } {
    return { now: this.schedule.now + this.#skewOf(id), random: this.prng.u32() / 2 ** 32 };
  }

  #skewOf(id: Sender): number {
    const { skewMsMax } = this.options;
    const skew = this.#skews.get(id) ?? this.prng.below(2 * skewMsMax + 1) - skewMsMax;
    this.#skews.set(id, skew);
    return skew;
  }

  #crashPoint(): CrashPoint | null {
    if (this.healed || !this.prng.chance(this.options.crashInStepRate)) return null;
    this.counts.crashes++;
    return this.prng.chance(0.5) ? "before-commit" : "after-commit";
  }

  #arm(id: Sender, at: number): void {
    const token = (this.#alarms.get(id) ?? 0) + 1;
    this.#alarms.set(id, token);
    this.schedule.at(at - this.#skewOf(id), () => {
      // Set again meanwhile, to come earlier.
      if (this.#alarms.get(id) !== token) return;
      const crash = this.#crashPoint();
      this.#ring(id, crash);
      // An alarm that failed is tried again by the platform.
      if (crash === "before-commit") this.#arm(id, this.schedule.now + this.#skewOf(id) + 100);
      this.checkers.afterStep();
    });
  }

  #ring(id: Sender, crash: CrashPoint | null): void {
    const host = this.#host(id);
    host?.rang();
    host?.deliver({ type: "woke", ...this.#moment(id) }, crash);
  }

  /** Only in the life in which it was set. */
  #tick(id: Sender, at: number): void {
    this.schedule.at(at - this.#skewOf(id), () => {
      const host = this.#host(id);
      if (!host?.ticked(at)) return;
      host.deliver({ type: "woke", ...this.#moment(id) }, this.#crashPoint());
      this.checkers.afterStep();
    });
  }

  #host(id: Sender): NodeHost | CoordinatorHost | null {
    if (id === "front") return null;
    return id === "coordinator" ? this.coordinator : this.#node(id);
  }

  #perform(from: Sender, effect: NodeEffect | CoordinatorEffect, term = this.#termOf(from)): void {
    switch (effect.type) {
      case "send":
        return void this.send(from, effect.to, effect.message, term);
      case "answer": {
        const call = this.#callers.get(effect.call);
        this.#callers.delete(effect.call);
        const told = call?.from === "front" ? effect.call : null;
        if (call) this.#travel({ from, to: call.from, message: effect.message, call: told, term });
        return;
      }
      case "push":
        return this.#push(effect.socket, effect.message);
      case "attach":
        return this.#sockets.attach(effect.socket, effect.session);
      case "push-map":
        return this.#sockets.pushMap(from, effect.news, (to, message) => this.#push(to, message));
      case "close-sockets":
        for (const client of this.clients) if (client.node === from) this.#reroute(client);
        return;
      default:
    }
  }

  // ---------------------------------------------------------------- network

  send(from: Sender, to: Sender, message: ClusterMessage, term = this.#termOf(from)): CallId {
    const call = ++this.#calls;
    this.#callers.set(call, { from, to });
    this.#travel({ from, to, message, call, term });
    return call;
  }

  #travel(letter: Letter): void {
    const { from, to, message } = letter;
    const { dropRate, duplicateRate } = this.options;
    const lost = !this.healed && (this.#cuts.has(from, to) || this.prng.chance(dropRate));
    if (this.tracing) this.log(`${from}→${to} ${describe(message)}${lost ? " (lost)" : ""}`);
    if (lost) return;
    const copies = !this.healed && this.prng.chance(duplicateRate) ? 2 : 1;
    for (let i = 0; i < copies; i++) this.schedule.after(this.#delay(), () => this.#arrive(letter));
  }

  #termOf(from: Sender): Term {
    if (from === "coordinator") return this.coordinator.disk.cluster?.term ?? Term(0);
    return from === "front" ? Term(0) : this.#node(from).disk.self.term;
  }

  #delay(): number {
    const { slowRate, slowMsMax } = this.options;
    if (this.healed) return 2;
    return this.prng.chance(slowRate) ? this.prng.below(slowMsMax) : 1 + this.prng.below(8);
  }

  #arrive({ from, to, message, call, term }: Letter): void {
    if (to === "front") return this.#front.receive(call, message);
    this.counts.messages++;
    if (message.type === "ROW_OFFER") this.counts.offered++;
    if (this.counts.messages % CODED_EVERY === 0) assertCoded(from, message);
    const facts = { type: "message", clusterId: CLUSTER, from, term, message, call } as const;
    const event = { ...facts, ...this.#moment(to) };
    if (to === "coordinator") this.#toCoordinator(event);
    else this.#toNode(to, event);
    this.checkers.afterStep();
  }

  #toCoordinator(event: Extract<CoordinatorEvent, { type: "message" }>): void {
    // A network that does not know either brings a message to the old instance, or to both.
    const ghost = this.#ghost?.awake === true ? this.#ghost : null;
    const lot = ghost ? this.prng.below(3) : 2;
    if (ghost && lot < 2) ghost.deliver(event, null);
    if (lot === 0) return;
    this.checkers.heardBy(event, this.coordinator.lives);
    this.coordinator.deliver(lot === 2 ? event : { ...event, call: null }, this.#crashPoint());
  }

  #toNode(to: NodeId, event: Extract<NodeEvent, { type: "message" }>): void {
    const host = this.#node(to);
    const before = host.awake && event.from === "coordinator" ? host.disk : null;
    host.deliver(event, this.#crashPoint());
    if (before) this.checkers.obeyed(event.term, before, host.disk);
  }

  // ---------------------------------------------------------------- clients

  #addClient(i: number): void {
    const forward = this.prng.chance(0.6);
    const { valueBytesMax, expiryRate, skewMsMax } = this.options;
    const skew = this.prng.below(2 * skewMsMax + 1) - skewMsMax;
    const client: SimClient = new SimClient(`c${i}`, forward, new Prng(this.prng.u32()), {
      now: () => this.schedule.now + skew,
      trueTime: () => this.schedule.now,
      valueBytesMax,
      expiryRate,
      answered: (begunAt) => forward && this.answers.answered(begunAt),
      later: (ms, run) => this.schedule.after(ms, run),
      reroute: (it) => this.#reroute(it),
      send: (it, message) => this.#fromClient(it, message),
      heardMap: (it, map) => this.checkers.heardMap(it, map),
    });
    this.clients.push(client);
  }

  #reroute(client: SimClient): void {
    const active = this.coordinator.disk.view.members.filter((m) => m.state !== "joining");
    if (active.length === 0) return;
    const left = client.node;
    client.connect(this.prng.pick(active).nodeId);
    if (left !== "" && !this.#hasClients(left)) this.#leaveAlone(NodeId(left));
  }

  #hasClients(id: string): boolean {
    return this.clients.some((client) => client.node === id);
  }

  /** One that sleeps is told so when it starts. */
  #leaveAlone(id: NodeId): void {
    if (this.#node(id).awake) this.#node(id).deliver({ type: "alone", ...this.#moment(id) });
  }

  #fromClient(client: SimClient, message: ClientMessage): void {
    const { node: at } = client;
    if (message.type === "HELLO") this.#sockets.reopened(`${client.id}@${at}`);
    if (at === "" || (!this.healed && this.prng.chance(this.options.dropRate))) return;
    this.schedule.after(1 + this.prng.below(5), () => {
      const socket = `${client.id}@${at}`;
      if (message.type === "OPS") this.#countOps(message.ops);
      if (message.type === "GET")
        for (const { key } of message.keys) this.answers.asks(socket, message.seq, key);
      const frames = this.#frames.get(at);
      if (frames) return void frames.push({ socket, message });
      this.#frames.set(at, [{ socket, message }]);
      this.schedule.after(this.prng.below(3), () => this.#deliverFrames(at));
    });
  }

  /** What came meanwhile is one event, as what comes while a commit is under way. */
  #deliverFrames(at: string): void {
    const frames = (this.#frames.get(at) ?? []).map(({ socket, message }) => {
      return { socket, session: this.#sockets.sessionOf(socket), flow: NO_FLOW, message };
    });
    this.#frames.delete(at);
    if (frames.length > 1) this.counts.groups++;
    const event = { type: "frames", frames, ...this.#moment(NodeId(at)) } as const;
    this.#node(NodeId(at)).deliver(event, this.#crashPoint());
    this.checkers.afterStep();
  }

  #countOps(ops: readonly ClientOp[]): void {
    for (const op of ops) {
      this.checkers.sent(op);
      if (op.expiresAt !== null) this.counts["writes that expire"]++;
      if ((op.value?.length ?? 0) > 100) this.counts["writes of many bytes"]++;
      const phase = this.checkers.phaseOf(op.key);
      this.writesPerPhase.set(phase, (this.writesPerPhase.get(phase) ?? 0) + 1);
    }
  }

  #push(socket: string, message: ServerMessage): void {
    const [id, at] = socket.split("@");
    const client = this.clients.find((c) => c.id === id);
    if (!client || client.node !== at) return;
    if (message.type === "ACK") this.checkers.acked(client, message);
    this.answers.told(socket, message);
    const { connections } = client;
    const lost = !this.healed && this.prng.chance(this.options.dropRate);
    const arrival = this.#sockets.inOrder(socket, this.schedule.now + 1 + this.prng.below(5));
    this.schedule.at(arrival, () =>
      lost ? client.missed() : client.receive(message, connections === client.connections),
    );
  }

  // ---------------------------------------------------------------- trace

  tracing = true;

  log(line: string): void {
    this.trace.push(`${this.schedule.now} ${line}`);
    if (this.trace.length > 4_000) this.trace.splice(0, 2_000);
  }

  #nameOf(host: NodeHost | CoordinatorHost): Sender {
    for (const [id, it] of this.nodes) if (it === host) return id;
    return "coordinator";
  }
}

const CALM_MS = 90_000;
/** Coding every message would take most of a run. */
const CODED_EVERY = 16;
