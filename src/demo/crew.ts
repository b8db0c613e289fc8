/** All writers of a run, over sockets and over HTTP, with what they have counted. */
import { changesUntil, everyKey } from "./changes.ts";
import { HttpWriter } from "./http-writer.ts";
import { Ledger } from "./ledger.ts";
import { DRAIN_MS, type Settings } from "./settings.ts";
import { Tally } from "./tally.ts";
import { Writer, type Pace } from "./writer.ts";

const LOADING: Pace = { frameOps: 200, everyMs: 0 };
const FRAME_OPS = 8;

export class Crew {
  readonly ledger = new Ledger();
  readonly overSockets = new Tally();
  readonly overHttp = new Tally();
  readonly #base: URL;
  readonly #settings: Settings;
  readonly #sockets: Writer[] = [];
  readonly #http: HttpWriter[];
  readonly #keys: number;
  readonly #pace: Pace;
  readonly #running: Promise<void>[] = [];
  #stopped = false;

  constructor(base: URL, settings: Settings, nodes: number) {
    this.#base = base;
    this.#settings = settings;
    this.#keys = Math.ceil(settings.entries / (settings.socketsPerNode * nodes));
    this.#pace = { frameOps: FRAME_OPS, everyMs: (1_000 * FRAME_OPS) / settings.writesPerSocket };
    this.#http = Array.from(
      { length: settings.httpClients },
      (_, i) => new HttpWriter(base, `http-${i}`, this.ledger),
    );
  }

  /** Opens sockets to these nodes. */
  async connect(nodes: readonly string[]): Promise<readonly Writer[]> {
    const opened = await Promise.all(
      nodes.flatMap((node) =>
        Array.from({ length: this.#settings.socketsPerNode }, async (_, i) => {
          const writer = new Writer(this.#base, `${node}-${i}`, this.ledger);
          await writer.open(node);
          return writer;
        }),
      ),
    );
    this.#sockets.push(...opened);
    return opened;
  }

  /** Every writer writes each of its keys once; how many were acknowledged. */
  async load(): Promise<number> {
    const tally = new Tally();
    await Promise.all(
      this.#sockets.map(async (writer) =>
        writer.write(everyKey(writer.id, this.#keys), LOADING, tally),
      ),
    );
    if (tally.refused.size > 0) throw new Error(`refused: ${[...tally.refused.keys()].join()}`);
    return tally.acked;
  }

  /** Everybody writes on and on. */
  start(): void {
    this.#startSockets(this.#sockets);
    for (const writer of this.#http)
      this.#running.push(writer.write(this.#changes(writer.id), this.overHttp));
  }

  async startOn(nodes: readonly string[]): Promise<void> {
    this.#startSockets(await this.connect(nodes));
  }

  #startSockets(writers: readonly Writer[]): void {
    for (const writer of writers)
      this.#running.push(writer.write(this.#changes(writer.id), this.#pace, this.overSockets));
  }

  #changes(id: string): ReturnType<typeof changesUntil> {
    return changesUntil(() => this.#stopped, { id, keys: this.#keys });
  }

  /** Waits for what was sent; how many writes are not acknowledged even then. */
  async finish(): Promise<number> {
    this.#stopped = true;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DRAIN_MS);
    await Promise.race([Promise.all(this.#running), late]);
    clearTimeout(timer);
    const writers = [...this.#sockets, ...this.#http];
    const unanswered = writers.reduce((count, writer) => count + writer.unanswered, 0);
    for (const writer of writers) writer.close();
    return unanswered;
  }
}
