import type { Config } from "../../../src/core/config.ts";
import type { CoordinatorSaved } from "../../../src/core/coordinator/state.ts";
import type { NodeId } from "../../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../../src/protocol/cluster-messages.ts";
import type { Prng } from "../prng.ts";
import type { Faults } from "./faults.ts";

/** What a nemesis may do to a world. */
export interface Victim {
  readonly prng: Prng;
  readonly faults: Faults;
  readonly config: Config;
  /** Of all objects that there are. */
  readonly nodes: () => readonly NodeId[];
  readonly ruled: () => CoordinatorSaved;
  readonly later: (ms: number, run: () => void) => void;
  readonly crash: (id: Sender) => void;
  /** Its storage is gone, and it never answers again. */
  readonly destroy: (id: NodeId) => void;
  /**
   * From now on the coordinator is another instance on the same disk; the old one lives on in its memory and is
   * told a part of what comes. Returns what ends it; null: there is none that knows anything.
   */
  readonly secondCoordinator: () => (() => void) | null;
  readonly operate: (message: ClusterMessage) => void;
  readonly log: (line: string) => void;
}

/** One kind of fault. A storm is made of some of them, each on its own. */
export interface Nemesis {
  readonly name: string;
  /** Of a hundred storms. */
  readonly share: number;
  /** Between two strikes, on average, and how long one lasts at most. */
  readonly everyMs: number;
  readonly lastsMsMax: number;
  /** Returns what ends it; null: there was nobody to strike. */
  readonly strike: (victim: Victim) => (() => void) | null;
}

export const anybody = ({ prng, nodes }: Victim): Sender =>
  prng.pick<Sender>(["coordinator", ...nodes()]);

/** All of them end together. */
export const allOf =
  (ends: readonly (() => void)[]): (() => void) =>
  () => {
    for (const end of ends) end();
  };
