/** Writers of ever new keys over HTTP, each until it is acknowledged: what is lost is then missing. */
import type { AckLevel } from "../../src/protocol/ops.ts";
import { pause } from "../e2e/writer.ts";

const WRITERS = 2;
const PAUSE_MS = 25;
/** An attempt is given up and made again: the same key, the same value. */
const ATTEMPT_MS_MAX = 5_000;

export class SteadyWriters {
  /** Keys by map. */
  readonly acked = new Map<string, Set<string>>();
  #map = "";
  #stopped = false;
  #count = 0;
  readonly #url: URL;
  readonly #ack: AckLevel;
  readonly #ended: Promise<unknown>;

  constructor(url: URL, map: string, ack: AckLevel) {
    this.#url = url;
    this.#ack = ack;
    this.changeMap(map);
    this.#ended = Promise.all(Array.from({ length: WRITERS }, (_, id) => this.#write(id)));
  }

  /** What is written from now on goes there. */
  changeMap(map: string): void {
    this.#map = map;
    this.acked.set(map, new Set());
  }

  get count(): number {
    return this.#count;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
  }

  async #write(id: number): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const map = this.#map;
      const key = `${id}-${n}`;
      while (!(await put(this.#url, `/v1/maps/${map}/${key}?ack=${this.#ack}`))) await pause(100);
      this.acked.get(map)?.add(key);
      this.#count++;
      await pause(PAUSE_MS);
    }
  }
}

/** True: acknowledged. */
export async function put(base: URL, path: string): Promise<boolean> {
  const signal = AbortSignal.timeout(ATTEMPT_MS_MAX);
  const init = { method: "PUT", body: "1", signal };
  const response = await fetch(new URL(path, base), init).catch(() => null);
  await response?.text().catch(() => "");
  return response?.ok ?? false;
}
