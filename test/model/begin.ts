import type { Locals } from "./locals.ts";
import { isForRestored, type Happening, type Next, type Rules } from "./moves.ts";
import { newCoordinator, newNode } from "./process.ts";
import type { Wrong } from "./search.ts";
import type { State } from "./state.ts";
import { NO_FAULTS, type World } from "./world.ts";

const STEPS_MAX = 10_000;

type Objection = Omit<Wrong, "way">;

export interface Begun {
  /** Nobody exists yet; and what happened from there on, each by its number among what could. */
  readonly newborn: State;
  readonly way: readonly number[];
  readonly first: State;
  readonly wrong: Objection | null;
}

/** The cluster forms and is written to, one thing after the other, until nothing is left to happen. */
export function begin(
  world: World,
  locals: Locals,
  rules: Rules,
  judge: (next: Next) => Objection | null,
): Begun {
  const { before, asked, budget } = world;
  const later = bits(asked.length) << before.length;
  const born = newborn(world, locals, later);
  const way: number[] = [];
  let state = born;
  for (let i = 0; i < STEPS_MAX; i++) {
    const happenings = rules.happenings(state);
    // Of what wakes somebody the last brings him to rest.
    const first = happenings.find((one) => !isWake(one)) ?? happenings.at(-1);
    if (!first) {
      rules.restoresTo(state.images[0] ?? 0);
      const unasked = asked.reduce(
        (all, one, bit) => (isForRestored(one) ? all : all | (1 << bit)),
        0,
      );
      const asks = { unasked: unasked << before.length, acked: state.acked & ~later };
      return { newborn: born, way, first: { ...state, ...asks, budget }, wrong: null };
    }
    way.push(happenings.indexOf(first));
    const next = rules.happen(state, first);
    const acked = next.state.acked & ~later;
    const wrong = judge({ ...next, state: { ...next.state, acked } });
    state = next.state;
    if (wrong) return { newborn: born, way, first: state, wrong };
  }
  throw new Error("the cluster never forms");
}

const isWake = (happening: Happening): boolean =>
  happening.type === "step" && happening.stimulus.type === "ring";

/** What is to be written later passes for acknowledged, so that nobody asks for it yet. */
function newborn({ config, nodes, before }: World, locals: Locals, later: number): State {
  const images = [locals.coordinators.intern(newCoordinator(config))];
  for (let i = 1; i <= nodes; i++) images.push(locals.nodes.intern(newNode(config, i)));
  const unasked = bits(before.length);
  const nothing = { letters: [], late: [], fresh: 0, behind: 0 };
  return { images, ...nothing, unasked, acked: later, budget: NO_FAULTS, replaced: -1, cut: -1 };
}

const bits = (count: number): number => 2 ** count - 1;
