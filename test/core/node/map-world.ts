/** A coordinator's history told to two node machines by halves, and clients that keep a map by what these push. */
import { DEFAULTS } from "../../../src/core/config.ts";
import type { NodeEffect, NodeEvent } from "../../../src/core/node/events.ts";
import { NO_FLOW } from "../../../src/core/node/flow.ts";
import { pushesOf } from "../../../src/core/node/map-delta.ts";
import { stepNode } from "../../../src/core/node/node.ts";
import type { Session } from "../../../src/core/node/requests.ts";
import { initialNode, wake, type NodeState } from "../../../src/core/node/state.ts";
import { wakeAt } from "../../../src/core/node/wake-at.ts";
import { nodeInMap, partitionInMap } from "../../../src/core/placement/table.ts";
import {
  ClusterId,
  Epoch,
  Incarnation,
  NodeId,
  PartitionId,
  Term,
  Version,
} from "../../../src/data/ids.ts";
import { applyMapDelta, mergeMaps } from "../../../src/data/map-delta.ts";
import type { MemberInfo, MembersView, PartitionMapPayload } from "../../../src/data/members.ts";
import type { Copy, Ruling } from "../../../src/data/ruling.ts";
import type { FetchMap, Hello, ServerMessage } from "../../../src/protocol/client-messages.ts";
import type { ClusterMessage } from "../../../src/protocol/cluster-messages.ts";

const CLUSTER = ClusterId("maps");
export const PARTITIONS = 4;
export const NODES = 2;

interface Ruled {
  readonly version: Version;
  readonly ruling: Ruling;
}

/** One socket to each of `nodes`. */
export class MapClient {
  map: PartitionMapPayload | null = null;
  /** Whole maps, the first one included. */
  wholes = 0;
  deltas = 0;
  gaps = 0;
  readonly sessions = new Map<number, Session>();
  /** Where it has a socket, or had one. */
  readonly nodes: readonly number[];
  readonly #fetch: (node: number, fetch: FetchMap) => void;

  constructor(nodes: readonly number[], fetch: (node: number, fetch: FetchMap) => void) {
    this.nodes = nodes;
    this.#fetch = fetch;
  }

  take(node: number, message: ServerMessage): void {
    if (message.type === "MAP" || message.type === "WELCOME") {
      this.map = this.map ? mergeMaps(this.map, message.map) : message.map;
      this.wholes++;
    }
    if (message.type !== "MAP_DELTA" || !this.map) return;
    const { version, viewVersion } = this.map;
    const applied = applyMapDelta(this.map, message);
    if (applied.ok) {
      this.map = applied.value;
      this.deltas++;
    } else if (applied.error === "gap") {
      this.gaps++;
      this.#fetch(node, { type: "FETCH_MAP", version, viewVersion });
    }
  }
}

export class MapWorld {
  now = 1_000;
  pushes = 0;
  readonly clients: MapClient[] = [];
  readonly #nodes: NodeState[] = [];
  readonly #ruled: Ruled[][] = [];
  readonly #views: MembersView[] = [];
  #tableVersion = Version(10);
  #ids = 0;

  constructor(mapHistoryMax = DEFAULTS.mapHistoryMax) {
    for (let p = 0; p < PARTITIONS; p++) {
      const ruling = {
        partitionId: PartitionId(p),
        epoch: Epoch(1),
        owner: NodeId("a"),
        since: Epoch(1),
        copies: [],
      };
      this.#ruled.push([{ version: this.#tableVersion, ruling }]);
    }
    this.#views.push({ version: Version(10), members: [this.#member(), this.#member()] });
    const config = { ...DEFAULTS, partitionCount: PARTITIONS, mapHistoryMax };
    for (let i = 0; i < NODES; i++) {
      const state = initialNode(config);
      const nodeId = NodeId(`m${i + 1}`);
      const self = {
        ...state.saved.self,
        clusterId: CLUSTER,
        nodeId,
        membership: "joining",
        incarnation: Incarnation(1),
      } as const;
      this.#nodes.push({ ...state, saved: { ...state.saved, self } });
      this.#say(i, {
        type: "JOIN_RESPONSE",
        accepted: true,
        membersView: this.view,
        partitionAssignments: this.#ruledAfter(Version(0)),
        tableVersion: this.#tableVersion,
        partitionCount: PARTITIONS,
        digestKey: { a: 0, b: 0 },
      });
    }
  }

  get view(): MembersView {
    const view = this.#views.at(-1);
    if (!view) throw new Error("there is a view from the beginning");
    return view;
  }

  #member(): MemberInfo {
    const facts = { host: "", clientPort: 0, clusterPort: 0, region: "", weight: 1 };
    const nodeId = NodeId(`m${++this.#ids}`);
    const joinVersion = Version(1);
    return { nodeId, ...facts, state: "active", joinVersion, incarnation: Incarnation(1) };
  }

  // ---------------------------------------------------------------- what the coordinator decides

  rule(p: number, owner: string, copies: readonly Copy[]): void {
    const log = this.#ruled[p] ?? [];
    const epoch = Epoch((log.at(-1)?.ruling.epoch ?? 0) + 1);
    this.#tableVersion = Version(this.#tableVersion + 1);
    const ruling = {
      partitionId: PartitionId(p),
      epoch,
      owner: NodeId(owner),
      since: epoch,
      copies,
    };
    log.push({ version: this.#tableVersion, ruling });
  }

  change(what: "add" | "remove" | "leaving" | "active", which: number): void {
    const { version, members } = this.view;
    // The two that are played here stay.
    const chosen = members[NODES + (which % Math.max(1, members.length - NODES))];
    const changed =
      what === "add"
        ? [...members, this.#member()]
        : what === "remove"
          ? members.filter((member) => member !== chosen)
          : members.map((member) => (member === chosen ? { ...member, state: what } : member));
    this.#views.push({ version: Version(version + 1), members: changed });
  }

  // ---------------------------------------------------------------- what nodes hear of it

  /** All that was ruled since a version which the node has. */
  tellTable(node: number, lag: number): void {
    const baseVersion = Version(
      Math.max(0, (this.#nodes[node]?.saved.self.tableVersion ?? 0) - lag),
    );
    this.#say(node, {
      type: "PARTITION_TABLE_UPDATE",
      assignments: this.#ruledAfter(baseVersion),
      version: this.#tableVersion,
      baseVersion,
      partitionCount: PARTITIONS,
      completedMigrations: [],
    });
  }
  tellView(node: number): void {
    this.#say(node, { type: "MEMBERS_UPDATE", view: this.view, clusterTimeMs: 0 });
  }
  /** One ruling by itself, before the table that has it. */
  tellRuling(node: number, p: number): void {
    const ruling = this.#ruled[p]?.at(-1)?.ruling;
    if (ruling) this.#say(node, { type: "RULING", ruling });
  }

  #ruledAfter(version: Version): Ruling[] {
    const last = this.#ruled.flatMap((log) => log.slice(-1));
    return last.filter((ruled) => ruled.version > version).map(({ ruling }) => ruling);
  }

  #say(node: number, message: ClusterMessage): void {
    const from = "coordinator";
    const facts = { type: "message", clusterId: CLUSTER, from, term: Term(1), message, call: 1 };
    this.#step(node, { ...(facts as Extract<NodeEvent, { type: "message" }>), ...this.#moment() });
  }

  /** It leaves memory; sockets and alarm stay. */
  restart(node: number): void {
    const state = this.#nodes[node];
    if (!state) return;
    const armed = wakeAt(state) !== null;
    this.#nodes[node] = wake(state.config, state.saved);
    this.#step(node, {
      type: "started",
      host: "",
      hasClients: this.#hasClients(node),
      ...this.#moment(),
    });
    if (armed) this.#step(node, { type: "woke", ...this.#moment() });
  }

  advance(ms: number): void {
    this.now += ms;
    for (const [node, state] of this.#nodes.entries())
      if ((wakeAt(state) ?? Infinity) <= this.now)
        this.#step(node, { type: "woke", ...this.#moment() });
  }

  wakeAt(node: number): number | null {
    const state = this.#nodes[node];
    return state ? wakeAt(state) : null;
  }

  #moment(): { now: number; random: number } {
    return { now: this.now, random: 0.5 };
  }

  // ---------------------------------------------------------------- clients

  connect(nodes: readonly number[]): MapClient {
    const client = new MapClient(nodes, (node, message) => this.frame(client, node, message));
    this.clients.push(client);
    for (const node of nodes)
      this.frame(client, node, { type: "HELLO", version: 1, cluster: CLUSTER, forward: true });
    return client;
  }

  /** It closes its socket, and opens another one at once or later. */
  leave(client: MapClient, node: number): void {
    client.sessions.delete(node);
    if (!this.#hasClients(node)) this.#step(node, { type: "alone", ...this.#moment() });
  }
  comeBack(client: MapClient, node: number): void {
    if (client.sessions.has(node)) return;
    this.frame(client, node, { type: "HELLO", version: 1, cluster: CLUSTER, forward: true });
  }

  #hasClients(node: number): boolean {
    return this.clients.some(({ sessions }) => sessions.has(node));
  }

  frame(client: MapClient, node: number, message: FetchMap | Hello): void {
    const socket = String(this.clients.indexOf(client));
    const frames = [{ socket, session: client.sessions.get(node) ?? null, flow: NO_FLOW, message }];
    this.#step(node, { type: "frames", frames, ...this.#moment() });
  }

  #step(node: number, event: NodeEvent): void {
    const before = this.#nodes[node];
    if (!before) throw new Error(`no node ${node}`);
    const [state, effects] = stepNode(before, event);
    this.#nodes[node] = state;
    for (const effect of effects) this.#perform(node, effect);
  }

  #perform(node: number, effect: NodeEffect): void {
    if (effect.type === "attach")
      this.clients[Number(effect.socket)]?.sessions.set(node, effect.session);
    if (effect.type === "push") this.clients[Number(effect.socket)]?.take(node, effect.message);
    if (effect.type !== "push-map") return;
    this.pushes++;
    const pushFor = pushesOf(effect.news, (message) => message);
    for (const client of this.clients) {
      const session = client.sessions.get(node);
      if (!session) continue;
      const push = pushFor({ version: session.mapVersion, viewVersion: session.viewVersion });
      if (!push) continue;
      const { version: mapVersion, viewVersion } = push.versions;
      client.sessions.set(node, { ...session, mapVersion, viewVersion });
      client.take(node, push.frame);
    }
  }

  // ---------------------------------------------------------------- what is true

  /** Partitions as they stood at its version or were ruled since, nodes exactly as in the view. */
  falseParts({ version, viewVersion, partitions, nodes }: PartitionMapPayload): string[] {
    const wrong = partitions.filter((item, p) => {
      const log = this.#ruled[p] ?? [];
      const stood = log.findLastIndex((ruled) => ruled.version <= version);
      const said = JSON.stringify(item);
      return !log
        .slice(stood)
        .some(({ ruling }) => JSON.stringify(partitionInMap(ruling)) === said);
    });
    const view = this.#views.find((one) => one.version === viewVersion);
    const sameNodes = JSON.stringify(view?.members.map(nodeInMap)) === JSON.stringify(nodes);
    return [
      ...wrong.map((item) => `at ${version}: ${JSON.stringify(item)}`),
      ...(sameNodes ? [] : [`at view ${viewVersion}: ${JSON.stringify(nodes)}`]),
    ];
  }

  get whole(): Omit<PartitionMapPayload, "generatedAt"> {
    const last = this.#ruled.flatMap((log) => log.slice(-1));
    return {
      version: this.#tableVersion,
      viewVersion: this.view.version,
      partitionCount: PARTITIONS,
      nodes: this.view.members.map(nodeInMap),
      partitions: last.map(({ ruling }) => partitionInMap(ruling)),
    };
  }
}
