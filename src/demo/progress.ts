/** Lines of progress: rewritten while they change on a terminal, one plain line each elsewhere. */

/** One change of the cluster's size, so far or done. */
export interface Rebalance {
  readonly title: string;
  /** The fewest moves that lead there. */
  readonly least: number;
  readonly planned: number;
  readonly moved: number;
  /** Moves given up and tried again. */
  readonly failed: number;
  /** Copied by the moves that are done. */
  readonly rows: number;
  readonly bytes: number;
  readonly ms: number;
  /** The longest of any writer between two acks. */
  readonly gapMs: number;
}

const TITLE_WIDTH = 26;

export class Screen {
  readonly #out: NodeJS.WriteStream;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  line(text: string): void {
    this.#out.write(`${text}\n`);
  }

  update(rebalance: Rebalance): void {
    if (this.#out.isTTY) this.#out.write(`\r\u001b[K${lineOf(rebalance)}`);
  }

  finish(rebalance: Rebalance): void {
    this.#out.write(`${this.#out.isTTY ? "\r\u001b[K" : ""}${lineOf(rebalance)}\n`);
  }
}

function lineOf({ title, planned, moved, rows, bytes, ms, gapMs }: Rebalance): string {
  const seconds = ms / 1_000;
  return [
    `  ${title.padEnd(TITLE_WIDTH)}`,
    `${whole(moved)}/${whole(planned)} partitions`.padEnd(20),
    `in ${seconds.toFixed(1)} s`.padEnd(11),
    `${whole(rows / seconds)} rows/s`.padEnd(15),
    `${(bytes / seconds / 1e6).toFixed(2)} MB/s`.padEnd(12),
    `longest gap between acks ${whole(gapMs)} ms`,
  ].join("");
}

export const whole = (n: number): string => Math.round(n).toLocaleString("en-US");
