/** Sockets of one client whose frames somebody sees, keeps back or sends twice. */
import type { SocketMaker } from "godwit/client";
import type { ServerMessage } from "../../src/protocol/client-messages.ts";
import { decodeServerMessage } from "../../src/protocol/codec.ts";

type Frame = string | Uint8Array<ArrayBuffer>;

export interface Meddling {
  readonly sent?: (frame: Frame, send: (frame: Frame) => void, url: string) => void;
  /** false: it never arrives. */
  readonly heard?: (message: ServerMessage, url: string) => boolean;
}

export function meddled({ sent, heard }: Meddling): SocketMaker {
  return class extends WebSocket {
    constructor(url: string) {
      super(url);
      this.addEventListener("message", (event) => {
        const bytes = event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : null;
        const message = bytes && decodeServerMessage(bytes);
        if (message?.ok && heard?.(message.value, url) === false) event.stopImmediatePropagation();
      });
    }
    override send(frame: Frame): void {
      if (sent) sent(frame, (one) => super.send(one), this.url ?? "");
      else super.send(frame);
    }
  };
}
