/** Client sockets under the hibernation API: what is theirs survives in tag and attachment. */
import {
  afterReceipt,
  afterSend,
  fitting,
  isFull,
  NO_FLOW,
  tooSlow,
  unread,
  type Flow,
} from "../core/node/flow.ts";
import { pushesOf, type MapNews, type Push } from "../core/node/map-delta.ts";
import type { Session, SocketId } from "../core/node/requests.ts";
import type { MapVersions } from "../data/map-delta.ts";
import { encodeServerMessage } from "../protocol/codec.ts";
import type { ErrorInfo } from "../protocol/errors.ts";
import { SLOW_RETRY_MS } from "../protocol/limits.ts";
import type { ServerMessage } from "../protocol/client-messages.ts";

interface Attachment {
  readonly id: SocketId;
  readonly session: Session | null;
  readonly flow: Flow;
  /** It has subscriptions, as far as this is known. Behind: it was told to subscribe again; owed: it is to be told. */
  readonly subscribed?: "told" | "behind" | "owed";
}

/** Who is at the other end of a socket, and how much it has to read. */
export type Peer = Attachment;

/** Closed without a code; it is reported, but cannot be sent. */
const NO_CODE = 1005;
const NORMAL = 1000;
/** "Try again later". */
const TRY_LATER = 1013;
/** The connection is gone: there is nobody to answer. */
const GONE = new Set([1006, 1015]);

export class Sockets {
  readonly #ctx: DurableObjectState;
  /** Copies of what the platform keeps, since it hands both out slowly. */
  readonly #sockets = new Map<SocketId, WebSocket>();
  readonly #attachments = new WeakMap<WebSocket, Attachment>();
  /** Closed ones are not among them, which the platform may name for a while. */
  readonly #open = new Set<SocketId>();
  /** By each client that is not gone, and by all of them. */
  readonly #unread = new Map<SocketId, number>();
  #allUnread = 0;
  /** What they are kept with is not what is here; serializing takes longer than most frames. */
  readonly #changed = new Set<WebSocket>();

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    for (const socket of ctx.getWebSockets()) {
      const peer = this.#attachmentOf(socket);
      this.#open.add(peer.id);
      this.#count(peer);
    }
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  accept(): Response {
    const [client, server] = Object.values(new WebSocketPair());
    if (!client || !server) return new Response(null, { status: 500 });
    const attachment: Attachment = { id: crypto.randomUUID(), session: null, flow: NO_FLOW };
    this.#ctx.acceptWebSocket(server, [attachment.id]);
    this.#open.add(attachment.id);
    this.#keep(server, attachment);
    this.flush();
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Takes note of a receipt. Null: the client is being given up, and what it says is not heard any more. */
  heard(socket: WebSocket, received: number | undefined): Peer | null {
    if (!isOpen(socket)) return null;
    const peer = this.#attachmentOf(socket);
    if (received === undefined) return this.#patient(socket, peer);
    const flow = afterReceipt(peer.flow, received, Date.now());
    return this.#patient(socket, this.#keep(socket, { ...peer, flow }));
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  peerOf(id: SocketId): Peer | null {
    const socket = this.#find(id);
    return socket ? this.#attachmentOf(socket) : null;
  }

  attach(id: SocketId, session: Session): void {
    const socket = this.#find(id);
    if (socket) this.#keep(socket, { ...this.#attachmentOf(socket), session });
  }

  push(id: SocketId, message: ServerMessage): void {
    const socket = this.#find(id);
    if (socket) this.send(socket, message);
  }

  /** False: it has no room, or is gone, and is told nothing more before it has subscribed again. */
  tell(id: SocketId, message: ServerMessage): boolean {
    const socket = this.#find(id);
    if (!socket || !isOpen(socket)) return false;
    const peer = this.#attachmentOf(socket);
    if (peer.subscribed !== "told") return true;
    if (!isFull(peer.flow) && this.#write(socket, encodeServerMessage(message))) return true;
    this.#keep(socket, { ...this.#attachmentOf(socket), subscribed: "behind" });
    return false;
  }

  subscribed(id: SocketId, yes: boolean): void {
    const socket = this.#find(id);
    if (!socket) return;
    const { subscribed: _, ...rest } = this.#attachmentOf(socket);
    this.#keep(socket, yes ? { ...rest, subscribed: "told" } : rest);
  }

  /** Where there is no room for it, it is owed, as a change of the map is. */
  resync(only: SocketId | null): void {
    for (const socket of only === null ? this.#ctx.getWebSockets() : this.#some(only)) {
      const before = this.#attachmentOf(socket);
      if (!before.subscribed || !isOpen(socket)) continue;
      const frame = encodeServerMessage({ type: "RESYNC" });
      const owed = isFull(before.flow) || !this.#write(socket, frame);
      const now = this.#attachmentOf(socket);
      const flow = { ...now.flow, owed: owed || now.flow.owed };
      this.#keep(socket, { ...now, subscribed: owed ? "owed" : "behind", flow });
    }
  }

  #some(id: SocketId): readonly WebSocket[] {
    const socket = this.#find(id);
    return socket ? [socket] : [];
  }

  send(socket: WebSocket, message: ServerMessage): void {
    const { flow } = this.#attachmentOf(socket);
    this.#write(socket, encodeServerMessage(fitting(flow, message)));
  }

  pushMap(news: MapNews, only: SocketId | null): void {
    const pushFor = pushesOf(news, encodeServerMessage);
    if (only === null) {
      for (const socket of this.#ctx.getWebSockets()) this.#pushTo(socket, pushFor);
    } else {
      const socket = this.#find(only);
      if (socket) this.#pushTo(socket, pushFor);
    }
  }

  /** What a client has then goes into its attachment: it must be known after hibernation, too. */
  #pushTo(socket: WebSocket, pushFor: (known: MapVersions) => Push<Uint8Array> | null): void {
    const peer = this.#attachmentOf(socket);
    const { session } = peer;
    if (!session || !isOpen(socket) || !this.#patient(socket, peer)) return;
    const push = pushFor({ version: session.mapVersion, viewVersion: session.viewVersion });
    const owed = push !== null && (isFull(peer.flow) || !this.#write(socket, push.frame));
    const now = this.#attachmentOf(socket);
    const flow = { ...now.flow, owed: owed || now.subscribed === "owed" };
    if (!push || owed) this.#keep(socket, { ...now, session, flow });
    else {
      const { version: mapVersion, viewVersion } = push.versions;
      this.#keep(socket, { ...now, session: { ...session, mapVersion, viewVersion }, flow });
    }
  }

  #write(socket: WebSocket, frame: Uint8Array): boolean {
    if (!isOpen(socket)) return false;
    const peer = this.#attachmentOf(socket);
    const flow = afterSend(peer.flow, frame.length, Date.now());
    if (!this.#patient(socket, { ...peer, flow }, frame.length)) return false;
    try {
      socket.send(frame);
    } catch {
      return false; // closed meanwhile: the client sends again what it has no answer to
    }
    this.#keep(socket, { ...peer, flow });
    return true;
  }

  /** Gives up whoever does not read: all that it was sent is kept in memory until it has gone. */
  #patient(socket: WebSocket, peer: Peer, more = 0): Peer | null {
    const error = tooSlow(peer.flow, Date.now(), this.#allUnread + more);
    if (!error) return peer;
    this.giveUp(socket, error);
    return null;
  }

  giveUp(socket: WebSocket, error: ErrorInfo): void {
    const what = error.code === "CREDIT_EXCEEDED" ? "too fast" : "too slow";
    try {
      socket.send(encodeServerMessage({ type: "ERROR", seq: null, error }));
      socket.close(TRY_LATER, `${what}: connect again in ${SLOW_RETRY_MS} ms`);
    } catch {
      // closed already
    }
  }

  /** The other side waits for this, and sees 1006 without it. Returns whose subscriptions end with it. */
  finish(socket: WebSocket, code: number): SocketId | null {
    const { id, subscribed } = this.#attachmentOf(socket);
    this.#sockets.delete(id);
    this.#open.delete(id);
    this.#allUnread -= this.#unread.get(id) ?? 0;
    this.#unread.delete(id);
    const had = subscribed ? id : null;
    if (GONE.has(code)) return had;
    try {
      socket.close(code === NO_CODE ? NORMAL : code);
    } catch {
      // closed already
    }
    return had;
  }

  /** 1012: service restart, connect again. */
  closeAll(reason: string): void {
    for (const socket of this.#ctx.getWebSockets()) socket.close(1012, reason);
  }

  #find(id: SocketId): WebSocket | undefined {
    const known = this.#sockets.get(id);
    if (known) return known;
    const [socket] = this.#ctx.getWebSockets(id);
    if (socket) this.#sockets.set(id, socket);
    return socket;
  }

  #keep(socket: WebSocket, attachment: Attachment): Attachment {
    this.#attachments.set(socket, attachment);
    this.#changed.add(socket);
    this.#count(attachment);
    return attachment;
  }

  #count({ id, flow }: Attachment): void {
    if (!this.#open.has(id)) return;
    this.#allUnread += unread(flow) - (this.#unread.get(id) ?? 0);
    this.#unread.set(id, unread(flow));
  }

  /** At the end of whatever may have sent or heard something: memory may be lost from then on. */
  flush(): void {
    for (const socket of this.#changed) socket.serializeAttachment(this.#attachments.get(socket));
    this.#changed.clear();
  }

  #attachmentOf(socket: WebSocket): Attachment {
    const known = this.#attachments.get(socket);
    if (known) return known;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `#keep`
    const attachment = socket.deserializeAttachment() as Attachment;
    this.#attachments.set(socket, attachment);
    return attachment;
  }
}

const isOpen = ({ readyState }: WebSocket): boolean => readyState === WebSocket.READY_STATE_OPEN;
