/** Client sockets under the hibernation API: what is theirs survives in tag and attachment. */
import { pushesOf, type MapNews } from "../core/node/map-delta.ts";
import type { Session, SocketId } from "../core/node/requests.ts";
import { encodeServerMessage } from "../protocol/codec.ts";
import type { ServerMessage } from "../protocol/client-messages.ts";

interface Attachment {
  readonly id: SocketId;
  readonly session: Session | null;
}

/** Closed without a code; it is reported, but cannot be sent. */
const NO_CODE = 1005;
const NORMAL = 1000;
/** The connection is gone: there is nobody to answer. */
const GONE = new Set([1006, 1015]);

export class Sockets {
  readonly #ctx: DurableObjectState;
  /** Copies of what the platform keeps, since it hands both out slowly. */
  readonly #sockets = new Map<SocketId, WebSocket>();
  readonly #attachments = new WeakMap<WebSocket, Attachment>();

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  accept(): Response {
    const [client, server] = Object.values(new WebSocketPair());
    if (!client || !server) return new Response(null, { status: 500 });
    const attachment: Attachment = { id: crypto.randomUUID(), session: null };
    this.#ctx.acceptWebSocket(server, [attachment.id]);
    this.#keep(server, attachment);
    return new Response(null, { status: 101, webSocket: client });
  }

  idOf(socket: WebSocket): SocketId {
    return this.#attachmentOf(socket).id;
  }
  sessionOf(socket: WebSocket): Session | null {
    return this.#attachmentOf(socket).session;
  }

  currentSession(id: SocketId): Session | null {
    const socket = this.#find(id);
    return socket ? this.sessionOf(socket) : null;
  }

  attach(id: SocketId, session: Session): void {
    const socket = this.#find(id);
    if (socket) this.#keep(socket, { id, session });
  }

  push(id: SocketId, message: ServerMessage): void {
    const socket = this.#find(id);
    if (socket) this.send(socket, message);
  }

  send(socket: WebSocket, message: ServerMessage): void {
    this.#write(socket, encodeServerMessage(message));
  }

  /** What a client has then goes into its attachment: it must be known after hibernation, too. */
  pushMap(news: MapNews): void {
    const pushFor = pushesOf(news, encodeServerMessage);
    for (const socket of this.#ctx.getWebSockets()) {
      const { id, session } = this.#attachmentOf(socket);
      if (!session) continue;
      const push = pushFor({ version: session.mapVersion, viewVersion: session.viewVersion });
      if (!push || !this.#write(socket, push.frame)) continue;
      const { version: mapVersion, viewVersion } = push.versions;
      this.#keep(socket, { id, session: { ...session, mapVersion, viewVersion } });
    }
  }

  #write(socket: WebSocket, frame: Uint8Array): boolean {
    try {
      socket.send(frame);
      return true;
    } catch {
      return false; // closed meanwhile: the client sends again what it has no answer to
    }
  }

  /** The other side waits for this, and sees 1006 without it. */
  finish(socket: WebSocket, code: number): void {
    this.#sockets.delete(this.idOf(socket));
    if (GONE.has(code)) return;
    try {
      socket.close(code === NO_CODE ? NORMAL : code);
    } catch {
      // closed already
    }
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

  #keep(socket: WebSocket, attachment: Attachment): void {
    socket.serializeAttachment(attachment);
    this.#attachments.set(socket, attachment);
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
