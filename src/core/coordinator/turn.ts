import { assert } from "../../data/assert.ts";
import {
  Epoch,
  Term,
  Version,
  type ClusterId,
  type NodeId,
  type PartitionId,
} from "../../data/ids.ts";
import type { MemberInfo, MembersView } from "../../data/members.ts";
import type { Copy, Ruling } from "../../data/ruling.ts";
import type { ClusterMessage, Sender } from "../../protocol/cluster-messages.ts";
import { backoffMs, busyPauseMs, heardPauseMs, type Config } from "../config.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { rules } from "./quorum.ts";
import type {
  Asked,
  Cluster,
  CoordinatorEffect,
  CoordinatorMemory,
  CoordinatorState,
  Entry,
} from "./state.ts";
import { withoutSpares } from "./wanted.ts";
import { UNHEARD } from "./watch-state.ts";

/** As what an invitation is pursued. */
export const invitation = (nodeId: NodeId): string => `invite ${nodeId}`;

/** One event being decided by the coordinator: the state so far, the effects so far. */
export class CoordinatorTurn {
  state: CoordinatorState;
  readonly effects: CoordinatorEffect[] = [];
  readonly now: number;
  readonly random: number;
  readonly #pursued = new Set<string>();
  #entries = new Map<PartitionId, Entry>();

  constructor(state: CoordinatorState, now: number, random: number) {
    this.state = state;
    this.now = now;
    this.random = random;
  }

  get config(): Config {
    return this.state.config;
  }
  get cluster(): Cluster {
    const { cluster } = this.state.saved;
    assert(cluster !== null, "only a formed cluster is spoken for");
    return cluster;
  }
  get view(): MembersView {
    return this.state.saved.view;
  }
  get memory(): CoordinatorMemory {
    return this.state.memory;
  }
  get entries(): ReadonlyMap<PartitionId, Entry> {
    return this.state.saved.entries;
  }

  setMemory(change: Partial<CoordinatorMemory>): void {
    this.state = { ...this.state, memory: { ...this.memory, ...change } };
  }

  /** Every change of what is saved is a commit, and a reign begins with its own term. */
  setCluster(change: Partial<Cluster>): void {
    this.state = {
      ...this.state,
      saved: { ...this.state.saved, cluster: { ...this.cluster, ...change } },
    };
    this.lead();
  }
  lead(): void {
    if (this.memory.leading) return;
    this.setMemory({ leading: true, answered: new Map(), granted: new Set() });
    const { termHeard } = this.memory;
    this.setCluster({ term: Term(Math.max(this.cluster.term + 1, termHeard + 1, this.now)) });
  }

  /** What `work` would save is a commit: without a quorum nothing of it has happened, and it is false. */
  attempt(work: () => void): boolean {
    const before = this.state;
    const said = this.effects.length;
    this.#entries = new Map();
    work();
    if (this.state.saved === before.saved || rules(before, this.now)) return true;
    this.state = before;
    this.#entries = new Map();
    this.effects.length = said;
    return false;
  }

  /** A version or epoch never used before, not even by a coordinator that was restored from a copy. */
  mint(previous: number): number {
    this.lead();
    return Math.max(previous + 1, this.cluster.term);
  }

  member(nodeId: NodeId): MemberInfo | undefined {
    return this.view.members.find((member) => member.nodeId === nodeId);
  }
  isDraining(nodeId: NodeId): boolean {
    return this.view.draining?.includes(nodeId) === true;
  }
  setView(change: Partial<MembersView>): void {
    const view = { ...this.view, ...change, version: Version(this.mint(this.view.version)) };
    this.state = { ...this.state, saved: { ...this.state.saved, view } };
  }
  setMembers(members: readonly MemberInfo[]): void {
    const { draining } = this.view;
    const left = draining?.filter((id) => members.some(({ nodeId }) => nodeId === id));
    this.setView({ members, ...(left && { draining: left }) });
  }
  setMember(nodeId: NodeId, change: Partial<MemberInfo>): void {
    this.setMembers(this.view.members.map((m) => (m.nodeId === nodeId ? { ...m, ...change } : m)));
  }

  entry(partitionId: PartitionId): Entry {
    const entry = this.entries.get(partitionId);
    assert(entry !== undefined, "every partition of a formed cluster has an entry");
    return entry;
  }
  setEntry(partitionId: PartitionId, change: Partial<Entry>): void {
    const entry = { ...this.entry(partitionId), ...change };
    // One copy a turn: a plan may change thousands.
    if (this.entries !== this.#entries) this.#entries = new Map(this.entries);
    const entries = this.#entries.set(partitionId, entry);
    this.state = { ...this.state, saved: { ...this.state.saved, entries } };
    this.lead();
  }

  /** The coordinator's word: whoever asked for it named the epoch, and that was checked. */
  rule(
    partitionId: PartitionId,
    { owner, copies }: { readonly owner: NodeId | null; readonly copies: readonly Copy[] },
    change: Partial<Entry> = {},
  ): Ruling {
    const before = this.entry(partitionId);
    const epoch = Epoch(this.mint(before.ruling.epoch));
    const version = Version(this.mint(this.cluster.tableVersion));
    const moved = owner !== before.ruling.owner;
    const since = moved ? epoch : before.ruling.since;
    const said: Ruling = { partitionId, epoch, owner, since, copies };
    // With this ruling, not by another in its wake: what is said of it must be what is saved.
    const spared = this.isInDoubt(said);
    const ruling = spared ? said : this.withoutSpares({ ...before, ...change, ruling: said });
    this.setEntry(partitionId, { ...change, ruling, version });
    this.setCluster({ tableVersion: version, ...(moved && { ownersVersion: version }) });
    return ruling;
  }

  withoutSpares(entry: Entry): Ruling {
    return withoutSpares(entry, (nodeId) => this.isSilent(nodeId));
  }

  /**
   * Its owner does not answer: any complete copy may be its successor in a moment. The view does not say so of one
   * that is leaving, nor does what is only in memory last.
   */
  isInDoubt({ owner }: Ruling): boolean {
    if (owner === null) return false;
    const suspectAt = this.memory.watch.members.get(owner)?.suspectAt ?? null;
    return suspectAt !== null || this.member(owner)?.state === "suspect";
  }

  send(to: Sender, message: ClusterMessage): void {
    this.effects.push({ type: "send", to, message });
  }
  sendAbroad(cluster: ClusterId, message: ClusterMessage): void {
    this.effects.push({ type: "send", to: "coordinator", message, cluster });
  }
  answer(call: CallId | null, message: ClusterMessage): void {
    if (call !== null) this.effects.push({ type: "answer", call, message });
  }

  /** Asks now if that is due, and notes when to ask again. */
  pursue(about: string, to: Sender, message: ClusterMessage): void {
    const { retryMsMax, idleRetryMsMax } = this.config;
    const maxMs = this.isSilent(to) ? idleRetryMsMax : retryMsMax;
    if (this.#isDue(about, { version: Version(0), maxMs })) this.send(to, message);
  }
  /** What it works by. Who is heard and has not got it passes writes on to owners of before. */
  pursueNews(about: string, nodeId: NodeId, message: ClusterMessage, version: Version): void {
    const { retryMsMax, idleRetryMsMax } = this.config;
    const mostMs = this.#isHeard(nodeId) ? heardPauseMs(this.config) : retryMsMax;
    const maxMs = this.isSilent(nodeId) ? idleRetryMsMax : mostMs;
    if (this.#isDue(about, { version, maxMs })) this.send(nodeId, message);
  }
  /** Of who has said nothing since this coordinator began nobody knows. */
  #isHeard(nodeId: NodeId): boolean {
    const { beat, dormant } = this.memory.watch.members.get(nodeId) ?? UNHEARD;
    return beat > 0 && !dormant;
  }
  /** Of whoever may be gone for good, and of nobody in particular: enough of them must answer. */
  pursueVoter(about: string, nodeId: NodeId, message: ClusterMessage): void {
    const { idleRetryMsMax: maxMs } = this.config;
    if (this.#isDue(about, { version: Version(0), maxMs })) this.send(nodeId, message);
  }
  /** It was asked whether it is there, and has not answered. */
  isSilent(to: Sender): boolean {
    if (to === "coordinator" || to === "front") return false;
    const { askedAt = null } = this.memory.watch.members.get(to) ?? {};
    return askedAt !== null;
  }
  /** Somebody works: no pause is longer than where that is always so. */
  hurry(): void {
    const at = this.now + busyPauseMs(this.config);
    const { retries } = this.memory;
    const far = [...retries].filter(([, retry]) => retry.at > at);
    if (far.length === 0) return;
    const near = far.map(([about, retry]) => [about, { ...retry, at }] as const);
    this.setMemory({ retries: new Map([...retries, ...near]) });
  }
  /** The same of another cluster's coordinator. */
  pursueAbroad(about: string, cluster: ClusterId, message: ClusterMessage): void {
    const { retryMsMax: maxMs } = this.config;
    if (this.#isDue(about, { version: Version(0), maxMs })) this.sendAbroad(cluster, message);
  }
  #isDue(about: string, { version, maxMs }: { version: Version; maxMs: number }): boolean {
    this.#pursued.add(about);
    const retry = this.memory.retries.get(about);
    if (retry && retry.at > this.now) {
      // The pause may have grown while nobody heard whoever is heard now.
      const at = this.now + this.config.retryMsMin + maxMs;
      if (at < retry.at) this.#retry(about, { ...retry, at });
      return false;
    }
    const attempt = retry ? retry.attempt + 1 : 0;
    const pauseMs = backoffMs(this.config, attempt, this.random, maxMs);
    const at = this.now + this.config.retryMsMin + pauseMs;
    this.#retry(about, { at, attempt, version });
    return true;
  }
  #retry(about: string, asked: Asked): void {
    this.setMemory({ retries: new Map(this.memory.retries).set(about, asked) });
  }
  /** An answer came; if it was not enough, the next question need not wait. */
  settled(about: string): void {
    if (!this.memory.retries.has(about)) return;
    const retries = new Map(this.memory.retries);
    retries.delete(about);
    this.setMemory({ retries });
  }

  /** Who has this version: if that is what was sent, news need not wait. */
  reached(about: string, version: Version): void {
    const asked = this.memory.retries.get(about);
    if (asked && asked.version <= version) this.settled(about);
  }

  /** What nobody pursued in this turn is not unfinished any more. */
  forgetOthers(): void {
    for (const about of this.memory.retries.keys())
      if (!this.#pursued.has(about)) this.settled(about);
  }
}
