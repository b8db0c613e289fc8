import { receive, tick, type Stamp } from "../../data/hlc.ts";
import { Seq, type ClusterId, type NodeId, type PartitionId } from "../../data/ids.ts";
import { STAMP_COUNTER_MAX } from "../../data/limits.ts";
import type { Row } from "../../data/row.ts";
import type { ClusterMessage, Sender } from "../../protocol/cluster-messages.ts";
import type { ChangedPart } from "../../protocol/subscription-messages.ts";
import type { Config } from "../config.ts";
import type { NodeEffect } from "./events.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { keptBytes, type Stream } from "../partition/stream.ts";
import type { Credit, Size, SocketId } from "./requests.ts";
import { NO_MEMORY, unruled } from "./state.ts";
import type {
  NodeMemory,
  NodeSaved,
  NodeState,
  PartitionMemory,
  PartitionSaved,
  Role,
  Self,
} from "./state.ts";

/** Change counters set aside at a time: one saved row per so many changes, and as wide a gap after a crash. */
const SEQ_BLOCK = 65_536;
/** A clock that runs ahead of real time is saved so far ahead of itself, so that a crash cannot turn it back. */
const CLOCK_BLOCK_MS = 1_000;

/**
 * One event being decided: the state so far, the effects so far. Sub-machines change a node only through
 * this; every value in `state` stays immutable, so a step is a function of state and event.
 */
export class Turn {
  state: NodeState;
  readonly effects: NodeEffect[] = [];
  readonly now: number;
  readonly random: number;
  // One copy a turn: a table of thousands may be heard at once, and a thousand writes held.
  #partitions = new Map<PartitionId, PartitionSaved>();
  #going = new Map<PartitionId, PartitionMemory>();
  #credits = new Map<SocketId, Credit>();
  readonly #own = new WeakSet<object>();
  readonly #toldMap = new Set<SocketId>();
  /** By name of the subscription. */
  readonly toTell = new Map<string, ChangedPart[]>();
  /** Sockets whose subscriptions cannot be kept. */
  readonly forgotten = new Set<SocketId>();

  constructor(state: NodeState, now: number, random: number) {
    this.state = state;
    this.now = now;
    this.random = random;
  }

  get config(): Config {
    return this.state.config;
  }
  get self(): Self {
    return this.state.saved.self;
  }
  get me(): NodeId {
    return this.state.saved.self.nodeId;
  }
  get memory(): NodeMemory {
    return this.state.memory;
  }

  partition(id: PartitionId): PartitionSaved {
    return this.state.saved.partitions.get(id) ?? unruled(id);
  }
  setPartition(id: PartitionId, change: Partial<PartitionSaved>): void {
    const partition = { ...this.partition(id), ...change };
    if (this.state.saved.partitions !== this.#partitions)
      this.#partitions = new Map(this.state.saved.partitions);
    const partitions = this.#partitions.set(id, partition);
    this.state = { ...this.state, saved: { ...this.state.saved, partitions } };
  }
  setRole(id: PartitionId, role: Role): void {
    this.setPartition(id, { role });
  }

  /** What is going on with a partition; none of it survives a crash. */
  going(id: PartitionId): PartitionMemory {
    return this.memory.partitions.get(id) ?? NO_MEMORY;
  }
  setGoing(id: PartitionId, change: Partial<PartitionMemory>): void {
    const before = this.going(id);
    const going = { ...before, ...change };
    if (going.streams !== before.streams)
      this.countPending({ ops: 0, bytes: keptIn(going.streams) - keptIn(before.streams) });
    if (this.memory.partitions !== this.#going) this.#going = new Map(this.memory.partitions);
    if (isQuiet(going)) this.#going.delete(id);
    else this.#going.set(id, going);
    this.setMemory({ partitions: this.#going });
  }

  countPending(more: Size): void {
    const { credits } = this.memory;
    const [ops, bytes] = [credits.ops + more.ops, credits.bytes + more.bytes];
    this.setMemory({ credits: { ...credits, ops, bytes } });
  }
  setCredit(socket: SocketId, credit: Credit): void {
    const { credits } = this.memory;
    if (credits.sockets !== this.#credits) this.#credits = new Map(credits.sockets);
    if (credit.frames > 0) this.#credits.set(socket, credit);
    else this.#credits.delete(socket);
    this.setMemory({ credits: { ...credits, sockets: this.#credits } });
  }

  /** This map if it was made here in this turn, and may be changed; else a copy, which may. */
  own<K, V>(map: ReadonlyMap<K, V>): Map<K, V> {
    if (map instanceof Map && this.#own.has(map)) return map;
    const copy = new Map(map);
    this.#own.add(copy);
    return copy;
  }

  setSelf(change: Partial<Self>): void {
    const self = { ...this.self, ...change };
    this.state = { ...this.state, saved: { ...this.state.saved, self } };
  }
  setMemory(change: Partial<NodeMemory>): void {
    this.state = { ...this.state, memory: { ...this.memory, ...change } };
  }

  /** The first of `count` fresh change counters. */
  takeSeqs(count: number): Seq {
    const first = Seq(this.memory.seq + 1);
    const last = Seq(this.memory.seq + count);
    this.setMemory({ seq: last });
    const { reserved } = this.self;
    if (last > reserved.seq) {
      this.setSelf({ reserved: { ...reserved, seq: Seq(last + SEQ_BLOCK) } });
      if (hasCopies(this.state.saved)) this.setMemory({ changedAt: this.now });
    }
    return first;
  }

  /** A stamp above every stamp that this node has made or seen. */
  stamp(): Stamp {
    const [clock, stamp] = tick(this.memory.clock, this.now, `${this.me}.${this.self.incarnation}`);
    this.setMemory({ clock });
    this.keepClock();
    return stamp;
  }
  /** What comes from other nodes is behind what this one stamps from now on. */
  hearStamps(rows: readonly Pick<Row, "stamp">[]): void {
    let { clock } = this.memory;
    for (const { stamp } of rows)
      if (stamp.millis >= clock.millis) clock = receive(clock, stamp, this.now);
    this.setMemory({ clock });
    this.keepClock();
  }
  /** Of the last millisecond the activation before may have used up any number of stamps. */
  startClock(): void {
    const millis = Math.max(this.memory.clock.millis, this.now);
    this.setMemory({ clock: { millis, counter: STAMP_COUNTER_MAX } });
  }
  keepClock(): void {
    const { reserved } = this.self;
    const { millis } = this.memory.clock;
    if (millis > this.now && millis > reserved.millis)
      this.setSelf({ reserved: { ...reserved, millis: millis + CLOCK_BLOCK_MS } });
  }

  /** Once a turn and socket: the map is large, and frames that came together know no more than the first. */
  tellsMap(socket: SocketId): boolean {
    if (this.#toldMap.has(socket)) return false;
    this.#toldMap.add(socket);
    return true;
  }

  do(effect: NodeEffect): void {
    this.effects.push(effect);
  }
  /** `cluster`: where that is not this node's own. */
  send(to: Sender, message: ClusterMessage, cluster?: ClusterId): void {
    this.do({ type: "send", to, message, ...(cluster !== undefined && { cluster }) });
  }
  /** Nothing is answered where nobody asked: `call` is null for an answer. */
  answer(call: CallId | null, message: ClusterMessage): void {
    if (call !== null) this.do({ type: "answer", call, message });
  }
}

function keptIn(streams: ReadonlyMap<NodeId, Stream>): number {
  let bytes = 0;
  for (const stream of streams.values()) bytes += keptBytes(stream);
  return bytes;
}

/** Somewhere this node is an owner with copies. */
export function hasCopies({ partitions }: NodeSaved): boolean {
  for (const { role } of partitions.values())
    if (role.type === "owner" && role.copies.length > 0) return true;
  return false;
}

const isQuiet = (going: PartitionMemory): boolean =>
  going.streams.size === 0 &&
  going.inbound === null &&
  going.offer === null &&
  going.held.length === 0 &&
  going.retry === null;
