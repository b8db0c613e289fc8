/** What a play can say. README.md has the list. */
import type { Config } from "../../src/core/config.ts";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { ClientOp } from "../../src/protocol/client-messages.ts";
import type { CrashPoint } from "../sim/process.ts";
import { bytesOf, showMessage } from "./show.ts";
import { Stage, type Letter } from "./stage.ts";
import { phaseOf, showPartition } from "./state.ts";

const STEPS_MAX = 5_000;

/** What was written, to be compared with what the owner has when all is over. */
export interface Written {
  readonly seq: number;
  readonly key: string;
  readonly value: string | null;
  readonly millis: number;
  readonly op: ClientOp;
}

type Match = (letter: Letter) => boolean;

export class Play {
  stage = new Stage({});
  readonly written: Written[] = [];
  #seq = 0;
  #held: Match[] = [];

  /** Runs one command and returns what it printed. Throws where the play is not as it says. */
  run(command: string): string {
    const [verb = "", ...args] = command.split(/\s+/);
    const printed = this.#verb(verb, args);
    if (printed === null) throw new Error(`unknown command: ${command}`);
    return [...this.stage.lines.splice(0), ...printed].join("\n");
  }

  #verb(verb: string, args: readonly string[]): readonly string[] | null {
    switch (verb) {
      case "form":
        return this.#form(args);
      case "put":
      case "delete":
      case "get":
        return this.#client(verb, args);
      case "resend":
        return this.#resend(args);
      case "move":
        return this.#ask({
          type: "MOVE_PARTITION",
          partitionId: idOf(args[0]),
          to: nodeOf(args[2]),
        });
      case "cancel":
        return this.#ask({ type: "CANCEL_MOVE", partitionId: idOf(args[0]) });
      case "deliver":
        return this.#deliver(args);
      case "drop":
      case "repeat":
        return this.#meddle(verb, args);
      case "hold":
        this.#held.push(matcher(args));
        return [];
      case "release":
        this.#held = [];
        return [];
      case "stabilize":
        return this.#stabilize(args[1] ?? null);
      case "advance":
        this.stage.advance(Number(args[0]));
        return [];
      case "crash":
        return this.#crash(args[0] ?? "");
      case "state":
        return showPartition(this.stage, idOf(args[0]));
      case "require":
        return this.#require(args);
      default:
        return null;
    }
  }

  #form(args: readonly string[]): readonly string[] {
    const settings = new Map(args.map((arg) => arg.split("=")).map(([k, v]) => [k, Number(v)]));
    const config: Partial<Config> = {
      initialNodes: settings.get("nodes") ?? 2,
      partitionCount: 1,
      chunkRowsMax: settings.get("chunk") ?? 100,
      chunkWindow: settings.get("window") ?? 1,
      resumeEveryChunks: 1,
    };
    this.stage = new Stage(config);
    this.stage.ask({ type: "FETCH_PARTITION_TABLE" });
    this.#stabilize(null);
    this.stage.lines.splice(0);
    return showPartition(this.stage, PartitionId(0));
  }

  #client(
    verb: "put" | "delete" | "get",
    [at, what = "", ...rest]: readonly string[],
  ): readonly string[] {
    const [key = "", value = ""] = what.split("=");
    const seq = ++this.#seq;
    if (verb === "get") {
      this.stage.client(nodeOf(at), { type: "GET", seq, keys: [{ map: "m", key }] });
      return [];
    }
    const millis = Number(/^@(\d+)$/.exec(rest[0] ?? "")?.[1] ?? this.stage.now);
    const stamp = { millis, counter: seq, node: "client" };
    const text = verb === "put" ? value : null;
    const op: ClientOp = {
      map: "m",
      key,
      stamp,
      value: text === null ? null : bytesOf(text),
      expiresAt: null,
    };
    this.written.push({ seq, key, value: text, millis, op });
    this.stage.client(nodeOf(at), { type: "OPS", seq, ops: [op] });
    return [];
  }

  /** What was not acknowledged, as a client does, with the stamp that it has. */
  #resend([at, name = ""]: readonly string[]): readonly string[] {
    const written = this.written.find(({ seq }) => name === `w${seq}`);
    if (!written) throw new Error(`no such write: ${name}`);
    this.stage.client(nodeOf(at), { type: "OPS", seq: written.seq, ops: [written.op] });
    return [];
  }

  #ask(message: Parameters<Stage["ask"]>[0]): readonly string[] {
    this.stage.ask(message);
    const asked = this.stage.letters.pop();
    if (asked) this.stage.deliver(asked);
    return [];
  }

  /** `deliver [all] SELECTOR [crash=POINT]` */
  #deliver(args: readonly string[]): readonly string[] {
    const crash = /^crash=(.+)$/.exec(args.at(-1) ?? "")?.[1] ?? null;
    if (crash !== null && crash !== "after-commit" && crash !== "before-commit")
      throw new Error(`no such moment: ${crash}`);
    const all = args[0] === "all";
    const words = args.slice(all ? 1 : 0, crash === null ? undefined : -1);
    const found = this.#find(words);
    for (const letter of all ? found : found.slice(0, 1)) this.#take(letter, crash);
    return [];
  }

  #take(letter: Letter, crash: CrashPoint | null = null): void {
    this.stage.letters = this.stage.letters.filter((other) => other !== letter);
    this.stage.deliver(letter, crash);
  }

  #meddle(verb: "drop" | "repeat", args: readonly string[]): readonly string[] {
    const found = this.#find(args);
    const { stage } = this;
    if (verb === "repeat") stage.letters.push(...found.map((letter) => ({ ...letter })));
    else stage.letters = stage.letters.filter((letter) => !found.includes(letter));
    const word = verb === "drop" ? "lost" : "twice";
    return found.map(({ from, to, message }) => `${word}: ${from} → ${to} ${showMessage(message)}`);
  }

  #find(words: readonly string[]): Letter[] {
    const found = this.stage.letters.filter(matcher(words));
    if (found.length === 0) throw new Error(`nothing on its way matches: ${words.join(" ")}`);
    return found;
  }

  /** Delivers what is not held, also what comes of it; with a type, until such a message waits. */
  #stabilize(type: string | null): readonly string[] {
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      if (type !== null && this.stage.letters.some(({ message }) => message.type === type))
        return [];
      const next = this.stage.letters.find((letter) => !this.#held.some((held) => held(letter)));
      if (next) this.#take(next);
      else if (type === null) return [];
      else throw new Error(`no ${type} comes`);
    }
    throw new Error("this does not come to rest");
  }

  #crash(who: string): readonly string[] {
    const host = who === "coordinator" ? this.stage.coordinator : this.stage.node(nodeOf(who));
    host.crash();
    return [];
  }

  #require([who = "", ...phase]: readonly string[]): readonly string[] {
    const wanted = phase.join(" ");
    const is = phaseOf(this.stage, PartitionId(0), who);
    if (is !== wanted) throw new Error(`${who} is ${is}, not ${wanted}`);
    return ["yes"];
  }

  /** What time and the network would do by themselves in the end. */
  settle(): void {
    this.#held = [];
    this.stage.settle();
  }
}

const idOf = (text: string | undefined): PartitionId => PartitionId(Number(text));
const nodeOf = (text: string | undefined): NodeId => NodeId(text ?? "");

/** `n1>n2`, a type, or both; `*` stands for any end. */
function matcher(words: readonly string[]): Match {
  const tests = words.map((word): Match => {
    const [from = "", to] = word.split(">");
    if (to === undefined) return ({ message }) => message.type === word;
    return (letter) => (from === "*" || letter.from === from) && (to === "*" || letter.to === to);
  });
  return (letter) => tests.every((test) => test(letter));
}
