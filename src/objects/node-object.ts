import type { Actors } from "../core/actor/definition.ts";
import type { ActorEffect, ActorEvent } from "../core/actor/effects.ts";
import { Runner } from "../core/actor/runner.ts";
import type { ClusterEvent } from "../core/machine/cluster-event.ts";
import { nodeDocuments, nodeFromDocuments } from "../core/node/documents.ts";
import type { NodeEffect, NodeEvent, NodeTag } from "../core/node/events.ts";
import { mayPush } from "../core/node/flow.ts";
import { node } from "../core/node/node.ts";
import type { SocketId } from "../core/node/requests.ts";
import { wake, type NodeSaved, type NodeState } from "../core/node/state.ts";
import { RowTables } from "../core/rows/tables.ts";
import type { ClientMessage, ServerMessage } from "../protocol/client-messages.ts";
import type { ClusterMessage } from "../protocol/cluster-messages.ts";
import { decodeClientMessage, type DecodeError } from "../protocol/codec.ts";
import { makeError } from "../protocol/errors.ts";
import { CREDIT_FRAMES } from "../protocol/limits.ts";
import { ClusterObject, moment } from "./cluster-object.ts";
import { configOf } from "./config-of.ts";
import type { Address } from "./door.ts";
import { DurableHost } from "./durable-host.ts";
import { Errands } from "./errands.ts";
import { Sockets, type Peer } from "./sockets.ts";
import { SqlRowStore } from "./sql-row-store.ts";

/** Frames beyond its credit that a client may send while those within it wait. */
const REFUSED_MAX = 16 * CREDIT_FRAMES;

/** Turns what Cloudflare calls into events, and effects into Cloudflare calls. Decides nothing. */
export class NodeObject extends ClusterObject<NodeState, NodeEvent, NodeEffect, NodeSaved> {
  protected readonly machine = node;
  readonly #sockets = new Sockets(this.ctx);
  readonly #errands = new Errands(
    (frame) => this.tell({ type: "frames", frames: [frame], ...moment() }),
    () => Date.now(),
  );
  readonly #runner = new Runner(
    () => this.actors,
    (effect) => this.#errands.of(effect),
  );
  readonly #config = configOf(this.env);
  readonly #tables = new RowTables(
    new SqlRowStore(this.ctx.storage.sql),
    () => this.host.load().saved.self.digestKey,
  );
  protected readonly host: DurableHost<NodeState, NodeEvent, NodeEffect, NodeSaved> =
    new DurableHost(this.ctx.storage, {
      wake: (documents) => wake(this.#config, nodeFromDocuments(documents, this.#config)),
      saved: (state) => state.saved,
      documents: nodeDocuments,
      store: (effect) => this.#store(effect),
      perform: (effect) => this.#perform(effect),
      wakeUp: () => this.wakeUp(),
    });

  /** Those of the application. */
  protected get actors(): Actors {
    return {};
  }

  override fetch(request: Request): Response {
    if (request.headers.get("upgrade") === "websocket") return this.#sockets.accept();
    return new Response("expected a WebSocket upgrade", { status: 426 });
  }

  override webSocketMessage(socket: WebSocket, bytes: string | ArrayBuffer): void {
    this.passClients("in", () => this.#hearFrame(socket, bytes));
  }

  #hearFrame(socket: WebSocket, bytes: string | ArrayBuffer): void {
    if (typeof bytes === "string") {
      const error = makeError("MALFORMED", { field: "frame", expected: "binary msgpack" });
      return this.#refuse(socket, { seq: null, error });
    }
    const message = decodeClientMessage(new Uint8Array(bytes));
    if (!message.ok) return this.#refuse(socket, message.error);
    const peer = this.#sockets.heard(socket, message.value.received);
    if (peer) this.#take(socket, peer, { message: message.value, bytes: bytes.byteLength });
  }

  #take(
    socket: WebSocket,
    { id, session, flow }: Peer,
    { message, bytes }: { readonly message: ClientMessage; readonly bytes: number },
  ): void {
    // Whatever waits of this socket sees its receipt, too.
    if (message.type === "RECEIVED" && (!mayPush(flow) || this.waiting.has(id)))
      return this.#sockets.flush();
    // A client that uses its whole credit may say HELLO before.
    const counted = message.type === "HELLO" ? `${id} HELLO` : id;
    const claim = { side: "clients", bytes, socket: counted } as const;
    const error = this.waiting.enter(claim);
    if (!error) {
      const frames = [{ socket: id, session, flow, message }];
      return this.tell({ type: "frames", frames, ...moment() }, claim);
    }
    const seq = "seq" in message ? message.seq : null;
    if (this.waiting.refusedOf(counted) > REFUSED_MAX) this.#sockets.giveUp(socket, error);
    else this.#sockets.send(socket, { type: "ERROR", seq, error });
    this.#sockets.flush();
  }

  #refuse(socket: WebSocket, error: DecodeError): void {
    this.#sockets.send(socket, { type: "ERROR", ...error });
    this.#sockets.flush();
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    const closed = this.#sockets.finish(socket, code);
    if (this.hasStarted && closed) this.tell({ type: "lost", socket: closed, ...moment() });
    // One that starts later finds it so.
    if (this.hasStarted && this.#sockets.isEmpty) this.tell({ type: "alone", ...moment() });
  }

  #tell(socket: SocketId, message: ServerMessage): void {
    if (!this.#sockets.tell(socket, message)) this.tell({ type: "lost", socket, ...moment() });
  }

  override webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket, 1006);
  }

  protected override driven(): void {
    this.#sockets.flush();
  }

  protected started(): NodeEvent {
    const hasClients = !this.#sockets.isEmpty;
    return { type: "started", host: this.ctx.id.toString(), hasClients, ...moment() };
  }

  protected address(): Address {
    const { clusterId, nodeId, term } = this.host.load().saved.self;
    return { clusterId, from: nodeId, term };
  }

  /** All frames of a group are one event: their rows are written, and their commit waited for, once. */
  protected override together(events: readonly NodeEvent[]): readonly NodeEvent[] {
    const frames = events.flatMap((event) => (event.type === "frames" ? event.frames : []));
    const others = events.filter(({ type }) => {
      // Somebody may have come since.
      return type !== "frames" && (type !== "alone" || this.#sockets.isEmpty);
    });
    if (frames.length === 0) return others;
    // A frame that waited behind its own HELLO has a session by now, and others may have brought receipts.
    const current = frames.map((frame) => {
      // An errand has none.
      const peer = this.#sockets.peerOf(frame.socket);
      return peer ? { ...frame, session: peer.session, flow: peer.flow } : frame;
    });
    return [{ type: "frames", frames: current, ...moment() }, ...others];
  }

  protected override isCopying(event: NodeEvent | ClusterEvent): boolean {
    return event.type === "message" && COPYING.has(event.message.type);
  }

  protected override copyingCost(): number {
    return this.#tables.work;
  }

  protected override sizeOf(event: NodeEvent | ClusterEvent): number {
    if (event.type === "frames")
      return event.frames.reduce((sum, { message }) => sum + opsIn(message), 0);
    return event.type === "message" ? opsIn(event.message) : 1;
  }

  #store(effect: NodeEffect): readonly NodeEvent[] | undefined {
    switch (effect.type) {
      case "send":
      case "answer":
      case "push":
      case "push-map":
      case "attach":
      case "tell":
      case "resync":
      case "subscribed":
      case "close-sockets":
      case "notice":
        return undefined;
      case "replay":
      case "decide":
        return this.#run(effect);
      default: {
        const event = this.#tables.perform(effect);
        return event ? [event] : [];
      }
    }
  }

  /** What takes time is told when it has come: in a life that has asked nothing nobody waits for it. */
  #run(effect: ActorEffect<NodeTag>): readonly NodeEvent[] {
    const event = this.#runner.perform(effect);
    if (!(event instanceof Promise)) return [event];
    const tell = (late: ActorEvent<NodeTag>): void =>
      this.tell({ ...late, tag: { ...late.tag, ...moment() } });
    this.ctx.waitUntil(event.then(tell));
    return [];
  }

  /** Errands count as clients while they are out. */
  #returned(): void {
    if (this.#errands.isEmpty && this.#sockets.isEmpty) this.tell({ type: "alone", ...moment() });
  }

  #perform(effect: NodeEffect): void {
    switch (effect.type) {
      case "send":
      case "answer":
        return this.speak(effect);
      case "push":
        if (this.#errands.hear(effect.socket, effect.message)) return this.#returned();
        return this.passClients("out", () => this.#sockets.push(effect.socket, effect.message));
      case "push-map":
        return this.passClients("out", () => this.#sockets.pushMap(effect.news, effect.only));
      case "tell":
        return this.passClients("out", () => this.#tell(effect.socket, effect.message));
      case "resync":
        return this.passClients("out", () => this.#sockets.resync(effect.only));
      case "subscribed":
        return this.#sockets.subscribed(effect.socket, effect.yes);
      case "attach":
        return this.#sockets.attach(effect.socket, effect.session);
      case "close-sockets":
        return this.#sockets.closeAll(effect.reason);
      case "notice":
        // oxlint-disable-next-line no-console -- where operators look
        return console.warn(JSON.stringify({ ...this.address(), ...effect.notice }));
      default:
    }
  }
}

function opsIn(message: ClientMessage | ClusterMessage): number {
  if ("ops" in message) return message.ops.length;
  if ("calls" in message) return message.calls.length;
  return "keys" in message ? message.keys.length : 1;
}

const COPYING: ReadonlySet<string> = new Set<ClusterMessage["type"]>([
  "MIGRATE_DATA",
  "STREAM_ACK",
  "PULL_ROWS",
  "PULLED_ROWS",
  "ROW_OFFER",
]);
