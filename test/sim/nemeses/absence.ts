/** Objects that are gone for longer than deletions are kept, with what was deleted meanwhile on their disks. */
import type { NodeId } from "../../../src/data/ids.ts";
import type { Victim } from "./nemesis.ts";

type Run = () => void;

/** One at a time. `absent` returns what brings it back; what is returned ends all of it. */
export function beginAbsences(victim: Victim, absent: (id: NodeId) => Run): Run {
  const { prng, later, nodes, config, log } = victim;
  const keptMs =
    config.tombstoneRetentionMs + 2 * (config.forwardTimeoutMs + config.maxClockSkewMs);
  let isOver = false;
  let back: Run | null = null;
  const end = (): void => {
    back?.();
    back = null;
  };
  const goOn = (): void =>
    later(1_000 + prng.below(4_000), () => {
      const all = nodes();
      if (isOver || all.length === 0) return goOnUnlessOver();
      const id = prng.pick(all);
      log(`${id} is away`);
      back = absent(id);
      later(keptMs + prng.below(3_000), () => {
        end();
        goOnUnlessOver();
      });
    });
  const goOnUnlessOver = (): void => {
    if (!isOver) goOn();
  };
  goOn();
  return () => {
    isOver = true;
    end();
  };
}
