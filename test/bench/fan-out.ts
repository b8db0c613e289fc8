/**
 * 1,000 subscribers of one map, each with a socket of its own to one node, of which one stops reading: what the others notice of
 * that, and what is kept for it. All are told of 100 small changes a second; that one of large ones, too, so that much piles up.
 */
import { encode } from "@msgpack/msgpack";
import { SOCKET_UNREAD_BYTES_MAX } from "../../src/protocol/limits.ts";
import { until } from "../e2e/follower.ts";
import { memoryBytes } from "../e2e/grid.ts";
import { pause } from "../e2e/writer.ts";
import { writes } from "./frames.ts";
import { Listener } from "./listener.ts";
import type { Pipe } from "./pipe.ts";
import { median } from "./stats.ts";
import { gridPipe, keysWhere, type Grid } from "./worlds.ts";

const SUBSCRIBERS = 1_000;
/** So many that none is written again before it was told. */
const KEYS = 1_000;
const SPAN_MS = 4_000;
const SMALL = { everyMs: 10, prefix: "small/" };
/** So few keys that all of them have room in a socket at once. */
const LARGE = { everyMs: 50, prefix: "large/", bytes: 64 * 1024, keys: 8 };
/** About all that the last subscriber can be told at once. */
const FRAME_BYTES = LARGE.keys * LARGE.bytes;
const MS_MAX = 60_000;
/** In each small value: what tells one change from another in the bytes of a frame. */
const MARK = Buffer.from("change#");
const DIGITS = 8;

export interface FanOutFigures {
  readonly subscribers: number;
  readonly changesPerSecond: number;
  readonly heardPerSecond: number;
  /** Milliseconds: from the write to a subscriber that reads. */
  readonly p50: { readonly without: number; readonly beside: number };
  readonly p99: { readonly without: number; readonly beside: number };
  /** The median of the rounds' own ratios. */
  readonly p99Ratio: number;
  /** What the one that did not read finds when it reads on, before it is told to subscribe again; and what was written meanwhile. */
  readonly keptBytes: number;
  readonly missedBytes: number;
  /** What may be kept for a socket, and the frame that goes beyond it. */
  readonly keptMax: number;
  /** By how much workerd grew meanwhile. */
  readonly grownBytes: { readonly without: number; readonly beside: number };
}

interface Span {
  readonly p50: number;
  readonly p99: number;
  readonly heardPerSecond: number;
  readonly grownBytes: number;
  readonly keptBytes: number;
  readonly missedBytes: number;
}

export async function fanningOut(grid: Grid, rounds: number): Promise<FanOutFigures> {
  const run = await Run.begin(grid);
  await run.span("reads");
  const found: { without: Span; beside: Span }[] = [];
  for (let round = 0; round < rounds; round++)
    found.push({ without: await run.span("reads"), beside: await run.span("stops") });
  run.end();
  const of = (figure: (span: Span) => number): { without: number; beside: number } => ({
    without: median(found.map(({ without }) => figure(without))),
    beside: median(found.map(({ beside }) => figure(beside))),
  });
  return {
    subscribers: SUBSCRIBERS,
    changesPerSecond: 1_000 / SMALL.everyMs,
    keptMax: SOCKET_UNREAD_BYTES_MAX + FRAME_BYTES,
    p99Ratio: median(found.map(({ without, beside }) => beside.p99 / without.p99)),
    heardPerSecond: of(({ heardPerSecond }) => heardPerSecond).without,
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    keptBytes: Math.max(...found.map(({ beside }) => beside.keptBytes)),
    missedBytes: of(({ missedBytes }) => missedBytes).beside,
    grownBytes: of(({ grownBytes }) => grownBytes),
  };
}

class Run {
  readonly #grid: Grid;
  readonly #small: Pipe;
  readonly #large: Pipe;
  readonly #keys: readonly string[];
  readonly #listeners: Listener[] = [];
  readonly #sentAt: number[] = [];
  #latencies: number[] = [];
  #largeBytes = 0;

  private constructor(grid: Grid, small: Pipe, large: Pipe) {
    this.#grid = grid;
    this.#small = small;
    this.#large = large;
    this.#keys = keysWhere(KEYS, grid.owners.size, (id) => grid.owners.get(id) === "n1");
  }

  static async begin(grid: Grid): Promise<Run> {
    const run = new Run(grid, await gridPipe(grid, "n1"), await gridPipe(grid, "n1"));
    const query = { map: "fan-out", prefix: SMALL.prefix };
    for (let n = 0; n < SUBSCRIBERS - 1; n++) {
      run.#listeners.push(new Listener(grid.url, "n2", query, (frame) => run.#hear(frame)));
      if (n % 50 === 49) await run.#synced();
    }
    await run.#synced();
    return run;
  }

  end(): void {
    for (const listener of this.#listeners) listener.end();
    this.#small.close();
    this.#large.close();
  }

  /** `last`: what the last of all subscribers does, which is a new one. */
  async span(last: "reads" | "stops"): Promise<Span> {
    const one = new Listener(this.#grid.url, "n2", { map: "fan-out" }, () => {});
    await until(() => one.synced, "the last subscriber's whole");
    await pause(300);
    [this.#latencies, this.#largeBytes] = [[], 0];
    const before = memoryBytes();
    if (last === "stops") one.stopReading();
    const began = performance.now();
    const from = this.#sentAt.length;
    const sent = await this.#write();
    await until(
      () => this.#latencies.length >= sent * (SUBSCRIBERS - 1),
      "what was written",
      MS_MAX,
    );
    const heardPerSecond = (this.#latencies.length * 1_000) / (performance.now() - began);
    const grownBytes = memoryBytes() - before;
    const keptBytes = last === "stops" ? await one.readOn() : 0;
    one.end();
    if (from + sent !== this.#sentAt.length) throw new Error("changes of another span");
    const all = Float64Array.from(this.#latencies).toSorted();
    const at = (p: number): number => all[Math.floor(all.length * p)] ?? NaN;
    return {
      p50: at(0.5),
      p99: at(0.99),
      heardPerSecond,
      grownBytes,
      keptBytes,
      missedBytes: this.#largeBytes,
    };
  }

  /** Returns how many small changes. */
  async #write(): Promise<number> {
    const from = this.#sentAt.length;
    const end = performance.now() + SPAN_MS;
    const more = (): boolean => performance.now() < end;
    const small = writes("fan-out", "small", () => {
      const n = this.#sentAt.push(performance.now()) - 1;
      return {
        key: this.#keyOf(SMALL.prefix, n),
        value: encode(`${MARK.toString()}${String(n).padStart(DIGITS, "0")}`),
      };
    });
    const large = writes("fan-out", "large", () => {
      this.#largeBytes += LARGE.bytes;
      const n = (this.#largeBytes / LARGE.bytes) % LARGE.keys;
      return { key: this.#keyOf(LARGE.prefix, n), value: encode("x".repeat(LARGE.bytes)) };
    });
    await Promise.all([
      this.#small.run(small, { more, window: 64, everyMs: SMALL.everyMs }),
      this.#large.run(large, { more, window: 16, everyMs: LARGE.everyMs }),
    ]);
    return this.#sentAt.length - from;
  }

  #keyOf(prefix: string, n: number): string {
    return prefix + (this.#keys[n % this.#keys.length] ?? "");
  }

  #hear(frame: Buffer): void {
    const now = performance.now();
    for (let at = frame.indexOf(MARK); at >= 0; at = frame.indexOf(MARK, at + MARK.length)) {
      const digits = at + MARK.length;
      const n = Number(frame.toString("latin1", digits, digits + DIGITS));
      this.#latencies.push(now - (this.#sentAt[n] ?? NaN));
    }
  }

  async #synced(): Promise<void> {
    await until(() => this.#listeners.every(({ synced }) => synced), "what there is", MS_MAX);
  }
}
