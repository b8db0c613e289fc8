/** Frames of one writer that are sent and not answered. */
import type { ClientWrite } from "../protocol/client-messages.ts";

export interface Write {
  readonly n: number;
  readonly op: ClientWrite;
}

interface Frame {
  readonly writes: readonly Write[];
  readonly firstSentMs: number;
  readonly sentMs: number;
}

export interface Answered {
  readonly writes: readonly Write[];
  /** Since the frame was first sent. */
  readonly afterMs: number;
  /** Since the answer before, or since something was sent after it. */
  readonly gapMs: number;
}

export class Outbox {
  readonly #frames = new Map<number, Frame>();
  #seq = 0;
  #waitingSinceMs = 0;

  get size(): number {
    return this.#frames.size;
  }

  writes(): readonly Write[] {
    return [...this.#frames.values()].flatMap(({ writes }) => writes);
  }

  /** The number under which the frame is to be sent. */
  add(writes: readonly Write[]): number {
    const now = performance.now();
    const seq = this.#seq++;
    if (this.#frames.size === 0) this.#waitingSinceMs = now;
    this.#frames.set(seq, { writes, firstSentMs: now, sentMs: now });
    return seq;
  }

  /** Null if it was answered before: sent twice, answered twice. */
  take(seq: number): Answered | null {
    const frame = this.#frames.get(seq);
    if (!frame) return null;
    this.#frames.delete(seq);
    const now = performance.now();
    const gapMs = now - this.#waitingSinceMs;
    this.#waitingSinceMs = now;
    return { writes: frame.writes, afterMs: now - frame.firstSentMs, gapMs };
  }

  /** What was sent at least so long ago, oldest first, and counts as sent now. */
  again(ms: number): readonly (readonly [seq: number, frame: Frame])[] {
    const now = performance.now();
    const due = [...this.#frames].filter(([, { sentMs }]) => now - sentMs >= ms);
    for (const [seq, frame] of due) this.#frames.set(seq, { ...frame, sentMs: now });
    return due;
  }
}
