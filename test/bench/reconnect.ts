/**
 * What a subscriber that was away for 1,000 changes is sent, beside all there is: by positions where owners are the same, by digests
 * where all have changed. Bytes of all frames, the welcome and its map included.
 */
import { connect, type Grid as Client, type Subscription } from "godwit/client";
import { cuttable, type Net } from "../client/cuttable.ts";
import { until } from "../e2e/follower.ts";
import { pause } from "../e2e/writer.ts";
import { move } from "./migrations.ts";
import { ownersOf, type Grid } from "./worlds.ts";

const ENTRIES = 100_000;
const CHANGES = 1_000;
const AT_A_TIME = 20_000;
const MS_MAX = 60_000;
/** Whatever still comes then was not waited for. */
const QUIET_MS = 500;

interface Traffic {
  readonly sent: number;
  readonly received: number;
}

export interface ReconnectFigures {
  /** Received the first time. */
  readonly allBytes: number;
  /** To be up to date again. */
  readonly sameOwners: Traffic;
  readonly otherOwners: Traffic;
}

export async function reconnecting(grid: Grid): Promise<ReconnectFigures> {
  const away = new Away(await connect(grid.url));
  const { received: allBytes } = await away.begin(grid.url);
  const sameOwners = await away.miss(async () => {});
  const otherOwners = await away.miss(() => moveAll(grid));
  away.end();
  return { allBytes, sameOwners, otherOwners };
}

class Away {
  readonly #writer: Client;
  readonly #net: Net;
  #traffic = { sent: 0, received: 0 };
  #value = 0;
  #reader: Client | null = null;
  #subscription: Subscription<number> | null = null;

  constructor(writer: Client) {
    this.#writer = writer;
    const sent = ({ length }: Uint8Array): void => void (this.#traffic.sent += length);
    const received = ({ length }: Uint8Array): void => void (this.#traffic.received += length);
    this.#net = cuttable({ node: "n2", sent, received });
  }

  /** The first time it has nothing. */
  async begin(url: URL): Promise<Traffic> {
    await this.#write(Array.from({ length: ENTRIES }, (_, n) => n));
    this.#reader = await connect(url, { mode: "gateway", WebSocket: this.#net.make });
    this.#subscription = this.#reader.map<number>("wide").subscribe(() => {});
    await this.#subscription.synced;
    const { length } = this.#subscription.entries();
    if (length !== ENTRIES) throw new Error(`${length} entries`);
    await pause(QUIET_MS);
    return this.#traffic;
  }

  /** It is away for the changes and for what else happens. */
  async miss(happens: () => Promise<void>): Promise<Traffic> {
    this.#net.cut();
    await until(() => this.#reader?.status().state === "offline", "the cut");
    this.#traffic = { sent: 0, received: 0 };
    this.#value++;
    const step = ENTRIES / CHANGES;
    const changed = Array.from({ length: CHANGES }, (_, n) => n * step + (n % step));
    await this.#write(changed);
    await happens();
    this.#net.heal();
    const shown = (n: number): boolean => this.#subscription?.get(keyOf(n)) === this.#value;
    await until(() => changed.every(shown), "what was missed", MS_MAX);
    await pause(QUIET_MS);
    return this.#traffic;
  }

  end(): void {
    this.#writer.close();
    this.#reader?.close();
  }

  async #write(which: readonly number[]): Promise<void> {
    const map = this.#writer.map<number>("wide");
    for (let from = 0; from < which.length; from += AT_A_TIME)
      await Promise.all(
        which.slice(from, from + AT_A_TIME).map((n) => map.set(keyOf(n), this.#value)),
      );
  }
}

const keyOf = (n: number): string => `key-${n.toString().padStart(6, "0")}`;

async function moveAll(grid: Grid): Promise<void> {
  const nodes = [...new Set(grid.owners.values())].toSorted();
  for (const [partitionId, owner] of await ownersOf(grid)) {
    const next = nodes[(nodes.indexOf(owner) + 1) % nodes.length] ?? owner;
    await move(grid, partitionId, next);
  }
}
