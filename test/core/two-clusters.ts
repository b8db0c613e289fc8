/** Two clusters of one Worker: each a stage of its own, and what passes between them. */
import type { Config } from "../../src/core/config.ts";
import { compareStamps } from "../../src/data/hlc.ts";
import { FAST } from "../../src/core/config.ts";
import { ClusterId, PartitionId, type NodeId } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import { partitionOf } from "../../src/data/hash.ts";
import type { Merge } from "../../src/core/coordinator/merge-state.ts";
import type { ClientWrite } from "../../src/protocol/client-messages.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import type { AckLevel } from "../../src/protocol/ops.ts";
import { Stage, type Letter } from "../scripts/stage.ts";

export const EAST = ClusterId("east");
export const WEST = ClusterId("west");

const EVERYTHING = { rowsMax: 10_000, bytesMax: 10_000_000 };

export class TwoClusters {
  readonly east: Stage;
  readonly west: Stage;
  /** What is lost between the two clusters. */
  cut: (letter: Letter) => boolean = () => false;
  readonly acked = new Map<string, readonly ClientWrite[]>();
  readonly written: ClientWrite[] = [];
  /** What clients want of a write before it is acknowledged. */
  ack: AckLevel = "owner";
  #seq = 0;

  /** What comes twice. */
  doubles: () => boolean = () => false;
  /** Between the clusters: how long a letter takes. */
  latencyMs = 0;
  #late: { readonly at: number; readonly goOn: () => void }[] = [];

  constructor(east: Partial<Config>, west: Partial<Config>) {
    this.east = new Stage({ ...FAST, ...east }, EAST);
    this.west = new Stage({ ...FAST, ...west }, WEST);
    for (const stage of this.stages)
      stage.abroad = (cluster, letter, answered) => {
        const other = this.stages.find(({ clusterId }) => clusterId === cluster);
        if (!other || this.cut(letter)) return;
        const back = (answer: Letter): void => {
          for (let times = this.doubles() ? 2 : 1; times > 0 && !this.cut(answer); times--)
            this.#carry(() => answered(answer));
        };
        for (let times = this.doubles() ? 2 : 1; times > 0; times--)
          this.#carry(() => other.receive(letter, back));
      };
  }

  static formed(east: Partial<Config>, west: Partial<Config>): TwoClusters {
    const two = new TwoClusters(east, west);
    for (const stage of two.stages) stage.ask({ type: "FETCH_PARTITION_TABLE" });
    two.live(3_000);
    return two;
  }

  get stages(): readonly Stage[] {
    return [this.east, this.west];
  }

  live(ms: number): void {
    for (let left = ms; left > 0; left -= 10) {
      for (const stage of this.stages) stage.live(10);
      this.#arrive();
    }
  }

  /** Time alone: what arrives is left lying. */
  pass(ms: number): void {
    for (const stage of this.stages) stage.advance(ms);
    this.#arrive();
  }

  #arrive(): void {
    const due = this.#late.filter(({ at }) => at <= this.east.now);
    this.#late = this.#late.filter((one) => !due.includes(one));
    for (const { goOn } of due) goOn();
  }

  #carry(goOn: () => void): void {
    if (this.latencyMs === 0) goOn();
    else this.#late.push({ at: this.east.now + this.latencyMs, goOn });
  }

  /** Until that holds, or for so long. */
  until(holds: () => boolean, ms = 60_000): boolean {
    for (let left = ms; left > 0 && !holds(); left -= 50) this.live(50);
    return holds();
  }

  /** Asks, and returns what the operator was told within so long. */
  told(stage: Stage, message: ClusterMessage, ms = 3_000): string {
    for (const { lines } of this.stages) lines.splice(0);
    stage.ask(message);
    this.live(ms);
    const lines = stage.lines.filter((line) => line.startsWith("  operator: "));
    return lines.join("\n").replace("  operator: ", "");
  }

  /** A client of that node; true once it is acknowledged. */
  write(stage: Stage, at: NodeId, key: string, value: number | null): () => boolean {
    const seq = ++this.#seq;
    const stamp = { millis: stage.now, counter: seq % 60_000, node: `client-${stage.clusterId}` };
    const bytes = value === null ? null : Uint8Array.of(value);
    const op: ClientWrite = { map: "m", key, stamp, value: bytes, expiresAt: null };
    this.written.push(op);
    stage.client(at, { type: "OPS", seq, ops: [op], ack: this.ack });
    let done = false;
    return () => {
      if (done) return true;
      done = stage.answers.some(
        (answer) =>
          answer.type === "ACK" &&
          answer.seq === seq &&
          answer.exceptions.every(({ result }) => result.type === "superseded"),
      );
      if (done) this.acked.set(key, [...(this.acked.get(key) ?? []), op]);
      return done;
    };
  }

  /** As a client of that node is answered; undefined: not at all, or refused. */
  read(stage: Stage, at: NodeId, key: string): number | null | undefined {
    const seq = ++this.#seq;
    stage.client(at, { type: "GET", seq, keys: [{ map: "m", key }] });
    for (let i = 0; i < 100; i++, this.live(10)) {
      const answer = stage.answers.find((one) => one.type === "VALUES" && one.seq === seq);
      const [value] = answer?.type === "VALUES" ? answer.values : [];
      if (value?.type === "value") return value.value?.[0] ?? null;
    }
    return undefined;
  }

  /** The newest of all that was acknowledged in either cluster, by key. */
  newest(): ReadonlyMap<string, ClientWrite> {
    const newest = new Map<string, ClientWrite>();
    for (const [key, ops] of this.acked) {
      const last = ops.toSorted((a, b) => compareStamps(b.stamp, a.stamp))[0];
      if (last) newest.set(key, last);
    }
    return newest;
  }
}

export const mergeOf = (stage: Stage): Merge | null =>
  stage.coordinator.disk.cluster?.merge ?? null;

export const phaseOf = (stage: Stage): string => {
  const merge = mergeOf(stage);
  return merge?.side === "loser" ? merge.phase : (merge?.side ?? "none");
};

/** All rows at the owners of a cluster, by key. */
export function ownedRows(stage: Stage): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const [partitionId, { ruling }] of stage.coordinator.disk.entries) {
    if (!ruling.owner) continue;
    const page = stage.node(ruling.owner).rows.page(partitionId, null, EVERYTHING);
    for (const { row } of page.rows) rows.set(row.key, row);
  }
  return rows;
}

/** Rows that any node of it has, whatever it is to them. */
export function rowsLeft(stage: Stage): number {
  let left = 0;
  for (const { rows } of stage.nodes.values())
    for (const partitionId of stage.coordinator.disk.entries.keys())
      left += rows.count(partitionId);
  return left;
}

export const ownerOf = (stage: Stage, key: string): NodeId => {
  const { entries } = stage.coordinator.disk;
  const id = partitionOf(key, entries.size);
  const owner = entries.get(PartitionId(id))?.ruling.owner;
  if (!owner) throw new Error(`nobody owns ${key}`);
  return owner;
};
