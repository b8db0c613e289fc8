import { DurableObject } from "cloudflare:workers";
import { drive } from "../core/machine/drive.ts";
import { nodeDocuments, nodeFromDocuments } from "../core/node/documents.ts";
import type { ClientFrame, NodeEffect, NodeEvent } from "../core/node/events.ts";
import { node } from "../core/node/node.ts";
import { wake, type NodeState } from "../core/node/state.ts";
import { RowTables } from "../core/rows/tables.ts";
import { decodeClientMessage, decodeEnvelope, encodeEnvelope } from "../protocol/codec.ts";
import type { ClusterMessage, Envelope, Sender } from "../protocol/cluster-messages.ts";
import { makeError } from "../protocol/errors.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { configOf } from "./config-of.ts";
import { call, Calls } from "./door.ts";
import { DurableHost } from "./durable-host.ts";
import type { Env } from "./env.ts";
import { Group } from "./group.ts";
import { Pace } from "./pace.ts";
import { Sockets } from "./sockets.ts";
import { SqlRowStore } from "./sql-row-store.ts";

/** A group this large keeps the object from everything else for some 10 ms. */
const GROUP_OPS_MAX = 1_000;

/** Turns what Cloudflare calls into events, and effects into Cloudflare calls. Decides nothing. */
export class NodeObject extends DurableObject<Env> {
  readonly #calls = new Calls();
  readonly #sockets = new Sockets(this.ctx);
  readonly #pace = new Pace();
  readonly #config = configOf(this.env);
  readonly #tables = new RowTables(
    new SqlRowStore(this.ctx.storage.sql),
    () => this.#host.load().saved.self.digestKey,
  );
  readonly #host: DurableHost<NodeState, NodeEvent, NodeEffect> = new DurableHost(
    this.ctx.storage,
    {
      wake: (documents) => wake(this.#config, nodeFromDocuments(documents, this.#config)),
      documents: (state) => nodeDocuments(state.saved),
      store: (effect) => this.#store(effect),
      perform: (effect) => this.#perform(effect),
    },
  );
  readonly #group = new Group<ClientFrame>(
    (frames) => this.#onFrames(frames),
    GROUP_OPS_MAX,
    ({ message }) => (message.type === "OPS" ? message.ops.length : 1),
  );
  #started = false;

  async deliver(bytes: Uint8Array): Promise<Uint8Array> {
    const envelope = decodeEnvelope(bytes);
    if (!envelope.ok) return this.#seal({ type: "ERROR", error: envelope.error });
    const { call: id, answer } = this.#calls.open();
    this.#onEnvelope(envelope.value, id);
    return this.#seal(await answer);
  }

  override fetch(request: Request): Response {
    if (request.headers.get("upgrade") === "websocket") return this.#sockets.accept();
    return new Response("expected a WebSocket upgrade", { status: 426 });
  }

  override webSocketMessage(socket: WebSocket, bytes: string | ArrayBuffer): void {
    if (typeof bytes === "string") {
      const error = makeError("MALFORMED", { field: "frame", expected: "binary msgpack" });
      return this.#sockets.send(socket, { type: "ERROR", seq: null, error });
    }
    const message = decodeClientMessage(new Uint8Array(bytes));
    if (!message.ok) return this.#sockets.send(socket, { type: "ERROR", ...message.error });
    const session = this.#sockets.sessionOf(socket);
    this.#group.add({ socket: this.#sockets.idOf(socket), session, message: message.value });
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#sockets.finish(socket, code);
    this.#drive({ type: "socket-closed", socket: this.#sockets.idOf(socket), ...moment() });
  }

  override alarm(): void {
    this.#host.rang();
    this.#drive({ type: "woke", ...moment() });
  }

  #onFrames(frames: readonly ClientFrame[]): void {
    // A frame that waited behind its own HELLO has a session by now.
    const current = frames.map((frame) => ({
      ...frame,
      session: frame.session ?? this.#sockets.currentSession(frame.socket),
    }));
    this.#drive({ type: "frames", frames: current, ...moment() });
  }

  #onEnvelope({ clusterId, from, term, message }: Envelope, id: number | null): void {
    this.#drive({ type: "message", clusterId, from, term, message, call: id, ...moment() });
  }

  #drive(event: NodeEvent): void {
    if (!this.#started) {
      this.#started = true;
      drive(node, this.#host, { type: "started", host: this.ctx.id.toString(), ...moment() });
    }
    drive(node, this.#host, event);
  }

  #store(effect: NodeEffect): readonly NodeEvent[] | undefined {
    switch (effect.type) {
      case "send":
      case "answer":
      case "push":
      case "attach":
      case "close-sockets":
        return undefined;
      default: {
        const event = this.#tables.perform(effect);
        return event ? [event] : [];
      }
    }
  }

  #perform(effect: NodeEffect): void {
    switch (effect.type) {
      case "send":
        return this.ctx.waitUntil(this.#send(effect.to, effect.message));
      case "answer":
        return this.#calls.answer(effect.call, effect.message);
      case "push":
        return this.#sockets.push(effect.socket, effect.message);
      case "attach":
        return this.#sockets.attach(effect.socket, effect.session);
      case "close-sockets":
        return this.#sockets.closeAll(effect.reason);
      default:
    }
  }

  async #send(to: Sender, message: ClusterMessage): Promise<void> {
    await this.#pace.turn();
    const { clusterId, nodeId: from, term } = this.#host.load().saved.self;
    const answer = await call(this.env, { clusterId, from, term }, to, message);
    if (answer) this.#onEnvelope(answer, null);
    else this.#drive({ type: "undelivered", to, message, ...moment() });
  }

  #seal(message: ClusterMessage): Uint8Array {
    const { clusterId, nodeId: from, term } = this.#host.load().saved.self;
    return encodeEnvelope({ clusterId, version: PROTOCOL_VERSION, term, from, message });
  }
}

const moment = (): { now: number; random: number } => ({ now: Date.now(), random: Math.random() });
