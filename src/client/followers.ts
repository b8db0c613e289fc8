/**
 * Sets and counters that are followed, and what this client does with them, which each hears of.
 */
import { CounterFollower } from "./counter-follower.ts";
import type { Stamp } from "../data/hlc.ts";
import type { Changed, Follower, FollowerPort } from "./follower.ts";
import type { KeptQuery } from "./host.ts";
import type { Listener, LiveView } from "./live-view.ts";
import type { Ask, Change, Of, Settled, Write } from "./machine/ask.ts";
import { queryAbout } from "./query.ts";
import { SetFollower } from "./set-follower.ts";
import type { Untold } from "./view.ts";

interface Wanted {
  readonly listener: Listener;
  readonly kept: KeptQuery | null;
}

export class Followers {
  readonly #hub: FollowerPort;
  readonly #all = new Set<LiveView<Follower>>();

  constructor(hub: FollowerPort) {
    this.#hub = hub;
  }

  async following(type: "set" | "counter", of: Of, listener: Listener): Promise<() => LiveView> {
    const kept = await this.#hub.keptOf(queryAbout(of));
    return () => this.follow(type, of, { listener, kept });
  }

  /** Throws where it can be none, or is one too many. */
  follow(type: "set" | "counter", of: Of, { listener, kept }: Wanted): LiveView {
    const query = queryAbout(of);
    const make = (changed: Changed): Follower =>
      type === "set"
        ? new SetFollower(this.#hub, of, changed)
        : new CounterFollower(this.#hub, of, changed, (kept?.rows.length ?? 0) > 0);
    const ask = async (untold: Untold): Promise<void> => live.view.doubt(untold);
    const live = this.#hub.follow(query, listener, { make, ask, kept });
    this.#all.add(live);
    void live.closed.then(() => this.#all.delete(live));
    for (const change of this.#hub.pendingOf(of.map))
      if (change.op.key === of.key) live.view.wrote(change);
    return live;
  }

  wrote(ask: Ask): void {
    this.#each(ask, (follower, change) => follower.wrote(change));
  }

  restamped(write: Write): void {
    this.#each(write, (follower) => follower.restamped(write));
  }

  settled({ ask, outcome }: Settled): void {
    this.#each(ask, (follower) => follower.settled(ask.id, outcome));
  }

  #each(ask: Ask, tell: (follower: Follower, change: Change) => void): void {
    if (ask.kind === "read") return;
    for (const live of this.#all) {
      if (!isOf(live, ask.op)) continue;
      tell(live.view, ask);
      live.awaitTold();
    }
  }

  /** Of the adds of an element of a set that are shown, and settled. */
  tagsOf(of: Of, name: string): readonly Stamp[] {
    return [...this.#all].flatMap((live) =>
      isOf(live, of) && live.view instanceof SetFollower ? live.view.tagsOf(name) : [],
    );
  }
}

const isOf = ({ view }: LiveView<Follower>, { map, key }: Of): boolean =>
  view.of.map === map && view.of.key === key;
