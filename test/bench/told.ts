/**
 * From a write to the subscriber at another node than the writer's, beside two bare objects: a socket, the object that stores
 * the row, one call to the other object, its socket. One change at a time.
 */
import { connect } from "godwit/client";
import type { Local } from "../../src/cli/local.ts";
import { encodeClientMessage } from "../../src/protocol/codec.ts";
import { cuttable } from "../client/cuttable.ts";
import { puts } from "./frames.ts";
import { median, quantile } from "./stats.ts";
import { keysWhere, type Grid } from "./worlds.ts";

const CHANGES = 150;
const WARM_UP = 300;
const VALUE = "x".repeat(90);

export interface ToldFigures {
  /** Milliseconds: the median round's p50. */
  readonly toldMs: number;
  readonly bareMs: number;
  /** The median of the rounds' own ratios. */
  readonly ratio: number;
}

export async function telling(grid: Grid, bare: Local, rounds: number): Promise<ToldFigures> {
  const owned = keysWhere(1, grid.owners.size, (id) => grid.owners.get(id) === "n1");
  const through = await throughGrid(grid, owned[0] ?? "");
  const beside = await throughBare(bare);
  await times(through, WARM_UP);
  await times(beside, WARM_UP);
  const found: { told: number; bare: number }[] = [];
  for (let round = 0; round < rounds; round++)
    found.push({
      bare: quantile(await times(beside, CHANGES), 0.5),
      told: quantile(await times(through, CHANGES), 0.5),
    });
  through.close();
  beside.close();
  return {
    toldMs: median(found.map(({ told }) => told)),
    bareMs: median(found.map(({ bare: ms }) => ms)),
    ratio: median(found.map(({ told, bare: ms }) => told / ms)),
  };
}

/** One change: when it is told, and when its writer knows that it is stored. */
interface Change {
  readonly told: Promise<unknown>;
  readonly acked: Promise<unknown>;
}

interface Path {
  readonly change: () => Change;
  readonly close: () => void;
}

/** How long each took. */
async function times(path: Path, count: number): Promise<number[]> {
  const all: number[] = [];
  for (let n = 0; n < count; n++) {
    const began = performance.now();
    const { told, acked } = path.change();
    await told;
    all.push(performance.now() - began);
    await acked;
  }
  return all;
}

async function throughGrid(grid: Grid, key: string): Promise<Path> {
  const writer = await connect(grid.url);
  const pinned = { mode: "gateway", WebSocket: cuttable({ node: "n2" }).make } as const;
  const reader = await connect(grid.url, pinned);
  const { nodes } = reader.status();
  if (nodes.join() !== "n2") throw new Error(`the reader is at ${nodes.join()}`);
  let heard: (value: string | undefined) => void = () => {};
  const subscription = reader.map<string>("told").subscribe((changes) => {
    for (const { value } of changes) heard(value);
  });
  await subscription.synced;
  const map = writer.map<string>("told");
  let n = 0;
  return {
    change: () => {
      const value = VALUE + String(n++).padStart(8, "0");
      const told = new Promise<void>((resolve) => {
        heard = (now) => now === value && resolve();
      });
      return { told, acked: map.set(key, value) };
    },
    close: () => {
      writer.close();
      reader.close();
    },
  };
}

async function throughBare({ url }: Local): Promise<Path> {
  const writer = await socketAt(new URL("/pair/writer", url));
  const reader = await socketAt(new URL("/pair/reader", url));
  const make = puts(["key"], { size: 1, bytes: 98, node: "bare" });
  let seq = 0;
  return {
    change: () => {
      const change = { told: nextAt(reader), acked: nextAt(writer) };
      writer.send(new Uint8Array(encodeClientMessage(make(seq++))));
      return change;
    },
    close: () => {
      writer.close();
      reader.close();
    },
  };
}

async function socketAt(url: URL): Promise<WebSocket> {
  const socket = new WebSocket(url.href.replace(/^http/, "ws"));
  socket.binaryType = "arraybuffer";
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error(`no socket at ${url.href}`)));
  });
  return socket;
}

const nextAt = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => {
    socket.addEventListener("message", () => resolve(), { once: true });
  });
