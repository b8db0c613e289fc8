/** What a socket is owed, through whatever else it is sent meanwhile. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { DEFAULTS } from "../../src/core/config.ts";
import { mayPush, NO_FLOW } from "../../src/core/node/flow.ts";
import type { MapNews } from "../../src/core/node/map-delta.ts";
import { noHistory } from "../../src/core/node/map-history.ts";
import { initialNode } from "../../src/core/node/state.ts";
import { Version } from "../../src/data/ids.ts";
import { Sockets } from "../../src/objects/sockets.ts";
import { decodeServerMessage } from "../../src/protocol/codec.ts";
import { SOCKET_UNREAD_BYTES_MAX } from "../../src/protocol/limits.ts";

const OPEN = 1;
const ID = "socket";

beforeEach(() => {
  vi.stubGlobal("WebSocketRequestResponsePair", Array);
  vi.stubGlobal("WebSocket", { READY_STATE_OPEN: OPEN });
});
afterEach(() => vi.unstubAllGlobals());

/** The node's end of a socket, as far as it is used. */
class End {
  readonly readyState = OPEN;
  readonly types: string[] = [];
  bytes = 0;
  #kept: unknown = { id: ID, session: null, flow: NO_FLOW };

  send(frame: Uint8Array): void {
    const message = decodeServerMessage(frame);
    this.types.push(message.ok ? message.value.type : "unreadable");
    this.bytes += frame.length;
  }
  serializeAttachment(attachment: unknown): void {
    this.#kept = structuredClone(attachment);
  }
  deserializeAttachment(): unknown {
    return structuredClone(this.#kept);
  }
}

function newsOf(version: number): MapNews {
  const { saved } = initialNode(DEFAULTS);
  const self = { ...saved.self, tableVersion: Version(version) };
  const history = noHistory(Version(version));
  return { saved: { ...saved, self }, partitions: history, nodes: history, now: 0 };
}

it("a push of the map pays for the map alone: a RESYNC is owed until it is written", () => {
  const end = new End();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is used of it
  const socket = end as unknown as WebSocket;
  const ctx = { getWebSockets: () => [socket], setWebSocketAutoResponse: () => {} };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is used of it
  const sockets = new Sockets(ctx as unknown as DurableObjectState);
  const known = { mapVersion: Version(0), viewVersion: Version(0) };
  sockets.attach(ID, { clientId: "reader", forward: true, ...known });
  sockets.heard(socket, 0);
  sockets.subscribed(ID, true);
  const value = new Uint8Array(SOCKET_UNREAD_BYTES_MAX / 4);
  const values = [{ type: "value", value, stamp: null } as const];
  for (let seq = 0; seq < 5; seq++) sockets.send(socket, { type: "VALUES", seq, values });
  expect(sockets.tell(ID, { type: "SYNCED", id: 1 }), "it has no room").toBe(false);
  sockets.resync(ID);
  expect(end.types).not.toContain("RESYNC");
  const owes = (): boolean => {
    const peer = sockets.peerOf(ID);
    return peer !== null && mayPush(peer.flow);
  };
  expect(owes(), "it has no room").toBe(false);
  sockets.heard(socket, end.bytes);
  expect(owes()).toBe(true);
  sockets.pushMap(newsOf(1), null);
  expect(end.types.at(-1)).toBe("MAP");
  expect(owes(), "its receipt may be behind the push").toBe(true);
  sockets.resync(ID);
  expect(end.types.at(-1)).toBe("RESYNC");
  sockets.pushMap(newsOf(1), ID);
  expect(owes()).toBe(false);
});
