/** Sockets between clients and nodes: a session each, which outlives the node's memory, and frames in order. */
import { pushesOf, type MapNews } from "../../src/core/node/map-delta.ts";
import type { Session, SocketId } from "../../src/core/node/requests.ts";
import { Version } from "../../src/data/ids.ts";
import type { ServerMessage } from "../../src/protocol/client-messages.ts";

const UNKNOWN = { mapVersion: Version(0), viewVersion: Version(0) };

export class SimSockets {
  readonly #sessions = new Map<SocketId, Session>();
  readonly #arrivals = new Map<SocketId, number>();

  sessionOf(socket: SocketId): Session | null {
    return this.#sessions.get(socket) ?? null;
  }

  attach(socket: SocketId, session: Session): void {
    this.#sessions.set(socket, session);
  }

  /** The client was elsewhere meanwhile: nobody knows what it has, until it is welcomed. */
  reopened(socket: SocketId): void {
    const session = this.#sessions.get(socket);
    if (session) this.#sessions.set(socket, { ...session, ...UNKNOWN });
  }

  pushMap(
    at: string,
    news: MapNews,
    push: (socket: SocketId, message: ServerMessage) => void,
  ): void {
    const pushFor = pushesOf(news, (message) => message);
    for (const [socket, session] of this.#sessions) {
      if (!socket.endsWith(`@${at}`)) continue;
      const pushed = pushFor({ version: session.mapVersion, viewVersion: session.viewVersion });
      if (!pushed) continue;
      const { version: mapVersion, viewVersion } = pushed.versions;
      this.#sessions.set(socket, { ...session, mapVersion, viewVersion });
      push(socket, pushed.frame);
    }
  }

  /** When a frame arrives that would at `at`: not before the one ahead of it. */
  inOrder(socket: SocketId, at: number): number {
    const arrival = Math.max(at, this.#arrivals.get(socket) ?? 0);
    this.#arrivals.set(socket, arrival);
    return arrival;
  }
}
