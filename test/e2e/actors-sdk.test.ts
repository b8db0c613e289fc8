/** Actors from the client, against real objects and sockets: moves, refusals, cut connections. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GridError, type Grid as Client, type Options } from "godwit/client";
import { partitionOf } from "../../src/data/hash.ts";
import { decodeClientMessage } from "../../src/protocol/codec.ts";
import { cuttable } from "../client/cuttable.ts";
import { Clients } from "./clients.ts";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 8;

type Count = { readonly type: "add"; readonly amount: number } | { readonly type: "get" };
type Banking =
  { readonly type: "deposit" | "withdraw"; readonly amount: number } | { readonly type: "balance" };
interface Account {
  readonly balance: number;
  readonly bookings: number;
}

let grid: Grid;
const clients = new Clients();

beforeAll(async () => {
  grid = await Grid.start({
    nodes: 3,
    partitions: PARTITIONS,
    backups: 1,
    faults: true,
    preset: "fast",
  });
}, 60_000);
afterAll(async () => {
  clients.close();
  await grid.stop();
});

const clientOf = async (options?: Options): Promise<Client> => clients.of(grid, options);
const counterOf = (client: Client, id: string) => client.actor<Count, number>("counter", id);
const ADD: Count = { type: "add", amount: 1 };

/** Moves the actor's partition to another node, and returns when it is there. */
async function move(id: string): Promise<void> {
  const partition = partitionOf(id, PARTITIONS);
  const owner = await grid.ownerOf(partition);
  const to = grid.nodes.find((node) => node !== owner);
  await grid.api.json("POST", "/v1/cluster/migrations", { partition, to });
  while ((await grid.ownerOf(partition)) === owner) await pause(20);
}

const numbered = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => i + 1);

function commandsIn(frame: Uint8Array): readonly string[] {
  const message = decodeClientMessage(frame);
  if (!message.ok || message.value.type !== "CALL") return [];
  return message.value.calls.flatMap(({ commandId }) => commandId ?? []);
}

describe.each(["direct", "gateway"] as const)("%s", (mode) => {
  it("300 numbered adds of one client, while its partition moves: 300 replies in order, none refused", async () => {
    const id = `moved-${mode}`;
    const counter = counterOf(await clientOf({ mode }), id);
    const replies: number[] = [];
    const adding = numbered(300).map(async () => replies.push((await counter.call(ADD)).reply));
    const moved = { times: 0 };
    const moving = (async () => {
      while (replies.length < 250 && moved.times < 4) {
        await move(id);
        moved.times++;
      }
    })();
    await Promise.all([...adding, moving]);
    expect(replies).toEqual(numbered(300));
    expect(moved.times, "not vacuous").toBeGreaterThan(0);
    expect(await counter.ask({ type: "get" })).toEqual({ reply: 300, version: 300 });
    const other = counterOf(await clientOf({ mode: "direct" }), id);
    expect(await other.ask({ type: "get" })).toEqual({ reply: 300, version: 300 });
  }, 120_000);

  it("a refusal of the actor's is typed, and so is a version that is not its", async () => {
    const account = (await clientOf({ mode })).actor<Banking, Account>("account", `typed-${mode}`);
    const one = await account.call({ type: "deposit", amount: 5 });
    expect(one).toEqual({ reply: { balance: 5, bookings: 1 }, version: 1 });
    const refused = await account.call({ type: "withdraw", amount: 9 }).catch((e: unknown) => e);
    expect(refused).toBeInstanceOf(GridError);
    expect(refused).toMatchObject({
      code: "COMMAND_REFUSED",
      retry: "never",
      data: { actorType: "account", refusal: "insufficient-funds", reason: "has 5" },
    });
    const late = account.call({ type: "withdraw", amount: 1 }, { expectedVersion: 0 });
    await expect(late).rejects.toMatchObject({
      code: "VERSION_CONFLICT",
      data: { attempted: 0, current: 1 },
    });
    const question = account.ask({ type: "withdraw", amount: 1 });
    await expect(question).rejects.toMatchObject({ code: "COMMAND_WITHOUT_ID" });
    const nobody = (await clientOf({ mode })).actor("nobody", "x").call(1);
    await expect(nobody).rejects.toMatchObject({ code: "ACTOR_UNKNOWN" });
    expect((await account.ask({ type: "balance" })).reply).toEqual({ balance: 5, bookings: 1 });
  });

  it("a client that is cut off again and again has each of its commands executed once, in order", async () => {
    const id = `cut-${mode}`;
    const sent: string[] = [];
    const net = cuttable({ sent: (frame) => sent.push(...commandsIn(frame)) });
    const counter = counterOf(await clientOf({ mode, WebSocket: net.make }), id);
    const replies: number[] = [];
    const adding = numbered(60).map(async () => replies.push((await counter.call(ADD)).reply));
    for (let n = 0; n < 12 && replies.length < 60; n++) {
      await pause(10 + (n % 4) * 7);
      net.cut();
      await pause(5);
      net.heal();
    }
    await Promise.all(adding);
    expect(replies).toEqual(numbered(60));
    expect(await counter.ask({ type: "get" })).toEqual({ reply: 60, version: 60 });
    expect(new Set(sent).size).toBe(60);
    expect(sent.length, "not vacuous: some were sent twice").toBeGreaterThan(60);
  }, 60_000);
});

it("300 numbered adds while a node joins: 300 replies in order, none refused", async () => {
  const ids = ["a", "b", "c", "d"];
  const client = await clientOf();
  const all = ids.map((id) => ({
    counter: counterOf(client, `join-${id}`),
    replies: [] as number[],
  }));
  const adding = all.flatMap(({ counter, replies }) =>
    numbered(300).map(async () => replies.push((await counter.call(ADD)).reply)),
  );
  const { status } = await grid.api.json("POST", "/v1/cluster/nodes", { count: 1 });
  expect(status).toBe(202);
  await grid.api.settled([...grid.nodes, "n4"]);
  await Promise.all(adding);
  for (const { replies } of all) expect(replies).toEqual(numbered(300));
  expect((await grid.ownedBy("n4")).length).toBe(PARTITIONS / 4);
}, 120_000);

it("a command that is called again under its id, by another client, is executed once", async () => {
  const [one, other] = [await clientOf(), await clientOf({ mode: "gateway" })];
  const first = await counterOf(one, "twice").call(ADD, { commandId: "order-17" });
  const again = await counterOf(other, "twice").call(ADD, { commandId: "order-17" });
  expect([first, again]).toEqual([
    { reply: 1, version: 1 },
    { reply: 1, version: 1 },
  ]);
});

it("a call that was never sent says that nobody was reached, and is not executed later", async () => {
  const net = cuttable();
  const client = await clientOf({ WebSocket: net.make });
  const counter = counterOf(client, "late");
  await counter.call(ADD);
  net.cut();
  while (client.status().state !== "offline") await pause(5);
  await expect(counter.call(ADD, { timeoutMs: 100 })).rejects.toMatchObject({
    code: "UNREACHABLE",
  });
  net.heal();
  expect(await counter.call(ADD)).toEqual({ reply: 2, version: 2 });
});
