/** What a play can do to messages on their way. */
import type { CrashPoint } from "../sim/process.ts";
import { fail } from "./fail.ts";
import { showMessage } from "./show.ts";
import type { Letter, Stage } from "./stage.ts";

const STEPS_MAX = 5_000;

type Match = (letter: Letter) => boolean;

export class Mail {
  readonly #stage: Stage;
  #held: Match[] = [];
  /** What the network keeps until it is delivered by name. */
  readonly #late = new Map<string, Letter>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** `deliver [all] WHICH [crash=POINT]`, `deliver NAME` */
  deliver(args: readonly string[]): void {
    const crash = crashPoint(args.at(-1));
    const words = crash === null ? args : args.slice(0, -1);
    const [first = ""] = words;
    const late = this.#late.get(first);
    this.#late.delete(first);
    if (late) return this.#stage.deliver(late, crash);
    if (first === "all") for (const letter of this.#find(words.slice(1))) this.#take(letter, crash);
    else this.#take(this.#first(words), crash);
  }

  drop(words: readonly string[]): readonly string[] {
    const found = this.#find(words);
    for (const letter of found) this.#remove(letter);
    return found.map((letter) => `lost: ${show(letter)}`);
  }

  /** `delay WHICH as NAME` */
  delay(args: readonly string[]): readonly string[] {
    const [letter, name] = this.#named(args);
    this.#remove(letter);
    this.#late.set(name, letter);
    return [`${name}: ${show(letter)}`];
  }

  /** `duplicate WHICH as NAME`: one of the two goes on, the other is late. */
  duplicate(args: readonly string[]): readonly string[] {
    const [letter, name] = this.#named(args);
    this.#late.set(name, this.#stage.again(letter));
    return [`${name}: ${show(letter)}`];
  }

  hold(words: readonly string[]): void {
    this.#held.push(matcher(words));
  }

  release(): void {
    this.#held = [];
  }

  /** Nothing is late or held any more. */
  releaseAll(): void {
    this.release();
    this.#stage.letters.push(...this.#late.values());
    this.#late.clear();
  }

  /** Delivers what is not held, also what comes of it; with a type, until such a message waits. */
  stabilize(type: string | null): void {
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      if (type !== null && this.#stage.letters.some(({ message }) => message.type === type)) return;
      const next = this.#stage.letters.find((letter) => !this.#held.some((held) => held(letter)));
      if (next) this.#take(next, null);
      else if (type === null) return;
      else fail(`no ${type} comes`);
    }
    fail("this does not come to rest");
  }

  #named(args: readonly string[]): readonly [Letter, string] {
    const [name, as] = [args.at(-1) ?? "", args.at(-2)];
    if (as !== "as") throw new Error("such a message needs a name: WHICH as NAME");
    return [this.#first(args.slice(0, -2)), name];
  }

  #take(letter: Letter, crash: CrashPoint | null): void {
    this.#remove(letter);
    this.#stage.deliver(letter, crash);
  }

  #remove(letter: Letter): void {
    this.#stage.letters = this.#stage.letters.filter((other) => other !== letter);
  }

  #first(words: readonly string[]): Letter {
    const [letter = this.#late.get(words.join(" "))] = this.#matching(words);
    if (!letter) fail(`nothing on its way matches: ${words.join(" ")}`);
    return letter;
  }

  #matching(words: readonly string[]): Letter[] {
    return this.#stage.letters.filter(matcher(words));
  }

  #find(words: readonly string[]): Letter[] {
    const found = this.#matching(words);
    if (found.length === 0) fail(`nothing on its way matches: ${words.join(" ")}`);
    return found;
  }
}

const show = ({ from, to, message }: Letter): string => `${from} → ${to} ${showMessage(message)}`;

/** `crash=after-commit`: everything is saved, nothing said. `crash=before-commit`: nothing happened. */
export function crashPoint(word: string | undefined): CrashPoint | null {
  const [, point] = /^crash=(.+)$/.exec(word ?? "") ?? [];
  if (point === undefined || point === "after-commit" || point === "before-commit")
    return point ?? null;
  throw new Error(`no such moment: ${point}`);
}

/** `n1>n2`, a type, `#n` of a stream's item, or several of these; `*` stands for any end. */
function matcher(words: readonly string[]): Match {
  const tests = words.map((word): Match => {
    if (word.startsWith("#")) return ({ message }) => "n" in message && `#${message.n}` === word;
    const [from = "", to] = word.split(">");
    if (to === undefined) return ({ message }) => message.type === word;
    return (letter) => (from === "*" || letter.from === from) && (to === "*" || letter.to === to);
  });
  return (letter) => tests.every((test) => test(letter));
}
