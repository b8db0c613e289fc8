/** A network for one client: sockets that can be cut, and that no new ones replace meanwhile. */
import type { SocketMaker } from "godwit/client";

export interface Net {
  readonly make: SocketMaker;
  readonly cut: () => void;
  readonly heal: () => void;
  readonly frames: () => number;
}

export function cuttable(): Net {
  const open = new Set<WebSocket>();
  const state = { isCut: false, frames: 0 };
  class Cuttable extends WebSocket {
    constructor(url: string) {
      super(state.isCut ? "ws://127.0.0.1:1/" : url);
      open.add(this);
      this.addEventListener("close", () => open.delete(this));
    }
    override send(data: string | Uint8Array<ArrayBuffer>): void {
      state.frames++;
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
