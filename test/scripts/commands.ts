/** What a play can say. README.md has the list. */
import { DEFAULTS } from "../../src/core/config.ts";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { ClientWrite } from "../../src/protocol/client-messages.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { fail } from "./fail.ts";
import { crashPoint, Mail } from "./mail.ts";
import { bytesOf } from "./show.ts";
import { Stage } from "./stage.ts";
import { phaseOf, showPartition } from "./state.ts";

/** What was written, to be compared with what the owner has when all is over. */
export interface Written {
  readonly seq: number;
  readonly key: string;
  readonly value: string | null;
  readonly millis: number;
  readonly op: ClientWrite;
}

type Printed = readonly string[] | void;

export class Play {
  stage = new Stage({});
  readonly written: Written[] = [];
  #mail = new Mail(this.stage);
  #seq = 0;

  /** Runs one command and returns what it printed. Throws where the play is not as it says. */
  run(command: string): string {
    const [verb = "", ...args] = command.split(/\s+/);
    if (verb === "quietly") return inShort(this.run(args.join(" ")));
    const printed = this.#verb(verb, args);
    return [...this.stage.lines.splice(0), ...(printed ?? [])].join("\n");
  }

  #verb(verb: string, args: readonly string[]): Printed {
    switch (verb) {
      case "form":
        return this.#form(args);
      case "put":
      case "delete":
        return this.#write(verb, args);
      case "resend":
        return this.#resend(args);
      case "get":
        return this.#get(args);
      case "move":
      case "cancel":
        return this.#operate(verb, args);
      case "leave":
        return this.#leave(nodeOf(args[0]));
      case "deliver":
        return this.#mail.deliver(args);
      case "drop":
        return this.#mail.drop(args);
      case "delay":
        return this.#mail.delay(args);
      case "duplicate":
        return this.#mail.duplicate(args);
      case "hold":
        return this.#mail.hold(args);
      case "release":
        return this.#mail.release();
      case "stabilize":
        return this.#mail.stabilize(args[1] ?? null);
      case "advance":
        return this.stage.advance(Number(args[0]));
      case "crash":
        return this.#crash(args[0]);
      case "state":
        return showPartition(this.stage, idOf(args[0]));
      case "require":
        return this.#require(args);
      default:
        throw new Error(`unknown command: ${verb}`);
    }
  }

  #form(args: readonly string[]): Printed {
    const settings = new Map(args.map((arg) => arg.split("=")).map(([k, v]) => [k, Number(v)]));
    this.stage = new Stage({
      initialNodes: settings.get("nodes") ?? 2,
      partitionCount: 1,
      backupCount: settings.get("backups") ?? 0,
      chunkRowsMax: settings.get("chunk") ?? 100,
      chunkWindow: 1,
      unackedDeltaBytesMax: settings.get("backlog") ?? DEFAULTS.unackedDeltaBytesMax,
      tombstoneRetentionMs: settings.get("retention") ?? DEFAULTS.tombstoneRetentionMs,
      resumeEveryChunks: 1,
    });
    this.#mail = new Mail(this.stage);
    this.stage.ask({ type: "FETCH_PARTITION_TABLE" });
    this.#mail.stabilize(null);
    this.stage.lines.splice(0);
    return showPartition(this.stage, PartitionId(0));
  }

  /** `put NODE KEY=VALUE [@MILLIS] [ack=backup]` */
  #write(verb: "put" | "delete", [at, what = "", ...how]: readonly string[]): void {
    const [key = "", text = ""] = what.split("=");
    const seq = ++this.#seq;
    const when = how.find((word) => word.startsWith("@"));
    const millis = when ? Number(when.slice(1)) : this.stage.now;
    const ack = how.includes("ack=backup") ? "backup" : "owner";
    const stamp = { millis, counter: seq, node: "client" };
    const value = verb === "put" ? text : null;
    const bytes = value === null ? null : bytesOf(value);
    const op: ClientWrite = { map: "m", key, stamp, value: bytes, expiresAt: null };
    this.written.push({ seq, key, value, millis, op });
    this.stage.client(nodeOf(at), { type: "OPS", seq, ops: [op], ack });
  }

  /** What was not acknowledged, as a client does, with the stamp that it has. */
  #resend([at, name = ""]: readonly string[]): void {
    const written = this.written.find(({ seq }) => name === `w${seq}`);
    if (!written) throw new Error(`no such write: ${name}`);
    this.stage.client(nodeOf(at), { type: "OPS", seq: written.seq, ops: [written.op] });
  }

  #get([at, key = ""]: readonly string[]): void {
    const seq = ++this.#seq;
    this.stage.client(nodeOf(at), { type: "GET", seq, keys: [{ map: "m", key }] });
  }

  /** `move P to NODE`, `cancel P [crash=POINT]` */
  #operate(verb: "move" | "cancel", [partition, ...rest]: readonly string[]): void {
    const partitionId = idOf(partition);
    const message: ClusterMessage =
      verb === "move"
        ? { type: "MOVE_PARTITION", partitionId, to: nodeOf(rest[1]) }
        : { type: "CANCEL_MOVE", partitionId };
    this.stage.ask(message);
    const asked = this.stage.letters.pop();
    if (asked) this.stage.deliver(asked, crashPoint(rest.at(-1)));
  }

  #leave(nodeId: NodeId): void {
    this.stage.ask({ type: "LEAVE_REQUEST", nodeId });
    const asked = this.stage.letters.pop();
    if (asked) this.stage.deliver(asked);
  }

  #crash(who: string | undefined): void {
    if (who === "coordinator") this.stage.coordinator.crash();
    else this.stage.node(nodeOf(who)).crash();
  }

  #require([who = "", ...phase]: readonly string[]): Printed {
    const wanted = phase.join(" ");
    const is = phaseOf(this.stage, PartitionId(0), who);
    if (is !== wanted) fail(`${who} is ${is}, not ${wanted}`);
    return ["yes"];
  }

  /** What time and the network would do by themselves in the end. */
  settle(): void {
    this.#mail.releaseAll();
    this.stage.settle();
  }
}

const idOf = (text: string | undefined): PartitionId => PartitionId(Number(text));
const nodeOf = (text: string | undefined): NodeId => NodeId(text ?? "");

/** Rulings and what clients were told; the rest is counted. */
function inShort(printed: string): string {
  const lines = printed.split("\n");
  const kept = lines.filter((line) => /^ {2}(ruling|client)/.test(line));
  const delivered = lines.filter((line) => /^\S+ → /.test(line)).length;
  return [...kept, `(${delivered} messages)`].join("\n");
}
