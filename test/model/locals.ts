/**
 * What each object of a model can do by itself. Nearly every state of a model differs from another in one object
 * only, so each step of each object is taken once, by the machines of production, and remembered.
 */
import type { Moment } from "../../src/core/machine/cluster-event.ts";
import type { CoordinatorEffect } from "../../src/core/coordinator/state.ts";
import type { NodeSaved } from "../../src/core/node/state.ts";
import { MemoryRowStore } from "../sim/memory-row-store.ts";
import type { NodeEffect } from "../../src/core/node/events.ts";
import { NodeId, Term } from "../../src/data/ids.ts";
import type { CrashPoint } from "../sim/process.ts";
import { Interner } from "./interner.ts";
import { ModelJudge, NOTHING_DECIDED, type Decision, type Switch } from "./judge.ts";
import {
  askedBy,
  eventOf,
  frameOf,
  frontOf,
  nameOf,
  OUTSIDE,
  placeOf,
  type Letter,
  type Place,
} from "./letters.ts";
import {
  asleep,
  coordinatorKind,
  momentAt,
  nodeKind,
  ring,
  run,
  type CoordinatorImage,
  type CoordinatorKind,
  type NodeImage,
  type NodeKind,
  type Ran,
} from "./process.ts";
import type { Timer } from "./timers.ts";
import type { Asked, World } from "./world.ts";

export type Crash = CrashPoint | null;

export type Stimulus =
  | { readonly type: "letter"; readonly id: number }
  | { readonly type: "asked"; readonly index: number }
  | { readonly type: "ring"; readonly timer: number };

export interface Step {
  /** What the object is afterwards. */
  readonly image: number;
  /** Numbers of letters. */
  readonly sent: readonly number[];
  /** Bits of what was asked for and is acknowledged now. */
  readonly acked: number;
  readonly switches: readonly Switch[];
  /** What a majority must stand behind. */
  readonly decided: readonly Decision[];
  /** Bits of partitions that a copy has taken over unasked, and of those that nobody offers anything to. */
  readonly inherited: number;
  readonly settled: number;
  readonly saved: boolean;
  readonly wrong: Error | null;
}

interface Stored {
  readonly disk: NodeSaved;
  readonly rows: MemoryRowStore;
}

type TimerFacts = Omit<Timer<unknown>, "due" | "at">;

/** Who is asleep only knows that it is to wake up. */
const ALARM: TimerFacts = {
  name: "alarm",
  kind: "alarm",
  patience: false,
  beats: false,
  about: null,
};

const CRASHES: readonly Crash[] = [null, "before-commit", "after-commit"];
const PLACES = 16;
const STIMULI = 2 ** 22;
const ASKED_MAX = 64;

export class Locals {
  readonly letters = new Interner<Letter>();
  readonly coordinators = new Interner<CoordinatorImage>();
  readonly nodes = new Interner<NodeImage>();
  readonly judge: ModelJudge;
  readonly #asked: readonly Asked[];
  /** What the clock of each says, which stands still. */
  readonly #moments: readonly Moment[];
  readonly #steps = new Map<number, Step>();
  readonly #missing = new Map<number, boolean>();
  readonly #links: number[] = [];
  readonly #answers: boolean[] = [];
  readonly #stored = new Map<number, Stored>();
  readonly #timers = new Map<number, readonly TimerFacts[]>();
  readonly #kinds: { readonly coordinator: CoordinatorKind; readonly nodes: readonly NodeKind[] };

  constructor({
    config,
    nodes,
    asked,
    ahead,
  }: Pick<World, "config" | "nodes" | "asked" | "ahead">) {
    this.#asked = asked;
    this.#moments = Array.from({ length: nodes + 1 }, (_, place) =>
      momentAt(place === ahead ? config.maxClockSkewMs : 0),
    );
    this.judge = new ModelJudge(config.maxParallelMigrations);
    const ids = Array.from({ length: nodes }, (_, i) => nameOf(i + 1));
    this.#kinds = {
      coordinator: coordinatorKind(config),
      nodes: ids.map((id, i) => nodeKind(config, id, this.#momentOf(i + 1))),
    };
  }

  step(place: Place, image: number, stimulus: Stimulus, crash: Crash): Step {
    const at = (image * STIMULI + numberOf(stimulus)) * PLACES * 3;
    const key = at + place * 3 + CRASHES.indexOf(crash);
    const known = this.#steps.get(key);
    if (known) return known;
    const step =
      place === 0
        ? this.#coordinator(image, stimulus, crash)
        : this.#node(place, image, stimulus, crash);
    this.#steps.set(key, step);
    return step;
  }

  timers(place: Place, image: number): readonly TimerFacts[] {
    const key = image * PLACES + place;
    const known = this.#timers.get(key);
    if (known) return known;
    const timers =
      place === 0
        ? facts(this.coordinators.get(image), this.#kinds.coordinator.timers)
        : facts(this.nodes.get(image), this.#nodeKind(place).timers);
    this.#timers.set(key, timers);
    return timers;
  }

  isAwake(place: Place, image: number): boolean {
    return (place === 0 ? this.coordinators.get(image) : this.nodes.get(image)).state !== null;
  }

  /** Who says it to whom. */
  readonly linkOf = (letter: number): number => {
    const known = this.#links[letter];
    if (known !== undefined) return known;
    const { from, to } = this.letters.get(letter);
    const link = placeOf(from) * PLACES + to;
    this.#links[letter] = link;
    return link;
  };

  /** Somebody is given up: he is only asked whether he is back while others work. */
  isMissing(coordinator: number): boolean {
    const known = this.#missing.get(coordinator);
    if (known !== undefined) return known;
    const { members } = this.coordinators.get(coordinator).disk.view;
    const missing = members.some(({ state }) => state === "dead");
    this.#missing.set(coordinator, missing);
    return missing;
  }

  /** An answer of the coordinator that is no news: terms and epochs only grow, so it never will be. */
  isKnown(letter: number, images: readonly number[]): boolean {
    if (!this.#mayBeKnown(letter)) return false;
    const { to, term, message } = this.letters.get(letter);
    const { self, partitions } = this.nodes.get(images[to] ?? 0).disk;
    if (term > self.term) return false;
    if (message.type !== "RULING") return true;
    const { partitionId, epoch } = message.ruling;
    return epoch <= (partitions.get(partitionId)?.ruling.epoch ?? 0);
  }

  #mayBeKnown(letter: number): boolean {
    const known = this.#answers[letter];
    if (known !== undefined) return known;
    const { from, call, message } = this.letters.get(letter);
    const isAnswer = from === "coordinator" && call === null;
    const may = isAnswer && (message.type === "DONE" || message.type === "RULING");
    this.#answers[letter] = may;
    return may;
  }

  termOf(coordinator: number): Term {
    return this.coordinators.get(coordinator).disk.cluster?.term ?? Term(0);
  }

  /** What a node has on disk. */
  stored(id: number): Stored {
    const known = this.#stored.get(id);
    if (known) return known;
    const { disk, rows } = this.nodes.get(id);
    const stored = { disk, rows: new MemoryRowStore(rows) };
    this.#stored.set(id, stored);
    return stored;
  }

  asleep(place: Place, image: number): number {
    return place === 0
      ? this.coordinators.intern(asleep(this.coordinators.get(image)))
      : this.nodes.intern(asleep(this.nodes.get(image)));
  }

  #nodeKind(place: Place): NodeKind {
    const kind = this.#kinds.nodes[place - 1];
    if (!kind) throw new Error(`nobody is at ${place}`);
    return kind;
  }

  #coordinator(id: number, stimulus: Stimulus, crash: Crash): Step {
    const kind = this.#kinds.coordinator;
    const image = this.coordinators.get(id);
    return this.#judged(id, () => {
      const ran =
        stimulus.type === "ring"
          ? ring(kind, image, stimulus.timer, crash)
          : run(kind, image, this.#toCoordinator(stimulus), crash);
      const decided = ran.commits.map(([before, after]) =>
        this.judge.coordinatorCommitted(before, after),
      );
      return {
        ...this.#outcome(0, ran, ({ cluster }) => cluster?.term ?? Term(0)),
        image: this.coordinators.intern(ran.image),
        ...this.judge.together(decided, ran.image.disk),
      };
    });
  }

  #node(place: Place, id: number, stimulus: Stimulus, crash: Crash): Step {
    const kind = this.#nodeKind(place);
    const image = this.nodes.get(id);
    return this.#judged(id, () => {
      const ran =
        stimulus.type === "ring"
          ? ring(kind, image, stimulus.timer, crash)
          : run(kind, image, this.#toNode(place, stimulus), crash);
      for (const [before, after] of ran.commits)
        this.judge.nodeCommitted(NodeId(nameOf(place)), before, after);
      const letter = stimulus.type === "letter" ? this.letters.get(stimulus.id) : null;
      if (letter?.from === "coordinator")
        this.judge.obeyed(letter.term, image.disk, ran.image.disk);
      return {
        ...this.#outcome(place, ran, ({ self }) => self.term),
        image: this.nodes.intern(ran.image),
        ...NOTHING_DECIDED,
      };
    });
  }

  #judged(image: number, take: () => Omit<Step, "wrong">): Step {
    try {
      return { ...take(), wrong: null };
    } catch (wrong) {
      if (!(wrong instanceof Error)) throw wrong;
      return { image, sent: [], acked: 0, ...NOTHING_DECIDED, saved: false, wrong };
    }
  }

  #toCoordinator(stimulus: Exclude<Stimulus, { type: "ring" }>): ReturnType<typeof eventOf> {
    const moment = this.#momentOf(0);
    if (stimulus.type === "letter") return eventOf(this.letters.get(stimulus.id), moment);
    const asked = this.#asked[stimulus.index];
    if (asked?.type !== "operator") throw new Error("no write is for the coordinator");
    const { message } = asked;
    return eventOf({ from: "front", message, call: OUTSIDE, term: Term(0) }, moment);
  }

  #momentOf(place: Place): Moment {
    return this.#moments[place] ?? momentAt(0);
  }

  #toNode(
    place: Place,
    stimulus: Exclude<Stimulus, { type: "ring" }>,
  ): Parameters<NodeKind["machine"]["step"]>[1] {
    const moment = this.#momentOf(place);
    if (stimulus.type === "letter") return eventOf(this.letters.get(stimulus.id), moment);
    const { index } = stimulus;
    const asked = this.#asked[index];
    if (asked?.type === "front") return frontOf(asked, index, moment);
    if (asked?.type !== "write") throw new Error("no operator asks a node");
    return frameOf(asked, index, moment);
  }

  #outcome<State, Saved>(
    place: Place,
    { said, commits }: Ran<State, Saved, NodeEffect | CoordinatorEffect>,
    termOf: (saved: Saved) => Term,
  ): Pick<Step, "sent" | "acked" | "saved"> {
    const sent: number[] = [];
    let acked = 0;
    const from = place === 0 ? "coordinator" : NodeId(nameOf(place));
    const post = (
      to: Place,
      { message, call, term }: Pick<Letter, "message" | "call" | "term">,
    ): void => {
      if (to < OUTSIDE) sent.push(this.letters.intern({ from, to, message, call, term }));
    };
    for (const [effect, saved] of said) {
      const term = termOf(saved);
      if (effect.type === "send")
        post(placeOf(effect.to), { message: effect.message, call: place, term });
      if (effect.type === "answer")
        post(effect.call, { message: effect.message, call: null, term });
      if (effect.type === "answer" && effect.message.type === "OP_FORWARDED") {
        const isDone = effect.message.results.every(({ type }) => type !== "refused");
        if (effect.call > OUTSIDE && isDone) acked |= 1 << askedBy(effect.call);
      }
      if (effect.type === "push" && effect.message.type === "ACK") {
        const { seq, exceptions } = effect.message;
        if (exceptions.every(({ result }) => result.type !== "refused")) acked |= 1 << seq;
      }
    }
    return { sent, acked, saved: commits.length > 0 };
  }
}

function facts<State, Saved>(
  image: { readonly state: State | null; readonly armed: boolean; readonly disk: Saved },
  timers: (state: State) => readonly TimerFacts[],
): readonly TimerFacts[] {
  if (image.state) return timers(image.state);
  return image.armed ? [ALARM] : [];
}

/** Letters, what is asked for and timers have numbers of their own. */
function numberOf(stimulus: Stimulus): number {
  if (stimulus.type === "letter") return 2 * ASKED_MAX + stimulus.id;
  return stimulus.type === "asked" ? stimulus.index : ASKED_MAX + stimulus.timer;
}
