/** A network for one client: sockets that can be cut, and that no new ones replace meanwhile. */
import type { SocketMaker } from "godwit/client";

export interface Net {
  readonly make: SocketMaker;
  readonly cut: () => void;
  readonly heal: () => void;
  readonly frames: () => number;
}

export interface Tap {
  /** The node that every connection is to, whatever the client asks for. */
  readonly node?: string;
  /** Binary frames, as they go out and come in. */
  readonly sent?: (frame: Uint8Array) => void;
  readonly received?: (frame: Uint8Array) => void;
}

export function cuttable({ node, sent, received }: Tap = {}): Net {
  const open = new Set<WebSocket>();
  const state = { isCut: false, frames: 0 };
  class Cuttable extends WebSocket {
    constructor(url: string) {
      super(state.isCut ? "ws://127.0.0.1:1/" : addressOf(url, node));
      open.add(this);
      this.addEventListener("close", () => open.delete(this));
      if (received)
        this.addEventListener("message", ({ data }) => {
          if (data instanceof ArrayBuffer) received(new Uint8Array(data));
        });
    }
    override send(data: string | Uint8Array<ArrayBuffer>): void {
      state.frames++;
      if (typeof data !== "string") sent?.(data);
      super.send(data);
    }
  }
  return {
    make: Cuttable,
    cut: () => {
      state.isCut = true;
      for (const socket of open) socket.close();
    },
    heal: () => {
      state.isCut = false;
    },
    frames: () => state.frames,
  };
}

function addressOf(address: string, node: string | undefined): string {
  const url = new URL(address);
  if (node !== undefined) url.searchParams.set("node", node);
  return url.href;
}
