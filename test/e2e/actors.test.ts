/** Actors over HTTP on the real runtime: called while they move, while nodes come and go, and while their owner is lost. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { partitionOf } from "../../src/data/hash.ts";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 16;

interface Said {
  readonly reply?: number;
  readonly version?: number;
  readonly error?: { readonly code: string; readonly retry: string };
}

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start({
    nodes: 3,
    partitions: PARTITIONS,
    backups: 1,
    preset: "fast",
    faults: true,
  });
}, 60_000);
afterAll(() => grid.stop());

const call = async (id: string, command: unknown, more: object = {}) =>
  grid.api.json<Said>("POST", `/v1/actors/counter/${id}`, { command, ...more });

const add = (id: string, amount: number, commandId: string) =>
  call(id, { type: "add", amount }, { commandId });

const totalOf = async (id: string): Promise<Said> =>
  (await call(id, { type: "get" }, { commandId: null })).body;

/** Until it is answered: whoever cannot be reached now is asked again under the same name. */
async function certainly(id: string, amount: number, commandId: string): Promise<Said> {
  for (const began = Date.now(); Date.now() - began < 30_000; await pause(20)) {
    const { status, body } = await add(id, amount, commandId);
    if (status === 200) return body;
    expect(body.error?.retry, JSON.stringify(body)).toBe("later");
  }
  throw new Error(`${commandId} is not answered`);
}

const ownerOf = (id: string): Promise<string> => grid.ownerOf(partitionOf(id, PARTITIONS));

describe("an actor", () => {
  it("moves from node to node under numbered commands: no gap, no duplicate, none refused", async () => {
    const id = "shuttled";
    const calling = new AbortController();
    const moved: string[] = [];
    const shuttle = async (): Promise<void> => {
      for (; !calling.signal.aborted; await pause(20)) {
        const from = await ownerOf(id);
        const to = grid.nodes.find((node) => node !== from && node !== moved.at(-1));
        const order = { partition: partitionOf(id, PARTITIONS), to };
        const { status } = await grid.api.json("POST", "/v1/cluster/migrations", order);
        if (status !== 202) continue;
        moved.push(from);
        await grid.api.settled(grid.nodes);
      }
    };
    const shuttling = shuttle();
    const versions: unknown[] = [];
    try {
      for (let n = 1; n <= 600 || moved.length < 4; n++) {
        const { status, body } = await add(id, 1, `s${n}`);
        expect(status, JSON.stringify(body)).toBe(200);
        versions.push([body.version, body.reply]);
        if (n === 5_000) break;
      }
    } finally {
      calling.abort();
      await shuttling;
    }
    expect(versions).toEqual(versions.map((_, i) => [i + 1, i + 1]));
    expect(moved.length).toBeGreaterThanOrEqual(4);
    expect(await add(id, 1, "s1")).toMatchObject({ body: { reply: 1, version: 1 } });
    expect(await totalOf(id)).toMatchObject({ reply: versions.length });
  });

  it("is what it was wherever it comes to live, when a node joins and leaves", async () => {
    const ids = Array.from({ length: 60 }, (_, i) => `many${i}`);
    for (const [i, id] of ids.entries()) await certainly(id, i, `${id}-1`);
    expect((await grid.api.json("POST", "/v1/cluster/nodes", { count: 1 })).status).toBe(202);
    const joining = grid.api.settled([...grid.nodes, "n4"]);
    for (const id of ids) expect((await add(id, 100, `${id}-2`)).status, id).toBe(200);
    await joining;
    expect((await grid.ownedBy("n4")).length).toBe(4);
    expect((await grid.api.json("DELETE", "/v1/cluster/nodes/n4")).status).toBe(202);
    const leaving = grid.api.settled(grid.nodes);
    for (const id of ids) expect((await add(id, 1_000, `${id}-3`)).status, id).toBe(200);
    await leaving;
    for (const [i, id] of ids.entries())
      expect(await totalOf(id), id).toEqual({ reply: i + 1_100, version: 3 });
  });

  it("whose owner is lost goes on at a backup: nothing that was answered is gone, nothing is executed twice", async () => {
    const id = "survivor";
    const lost = await ownerOf(id);
    let answered = 0;
    for (let n = 1; n <= 20; n++) answered = (await certainly(id, 1, `k${n}`)).reply ?? 0;
    await grid.killNode(lost);
    for (let n = 21; n <= 60; n++) answered = (await certainly(id, 1, `k${n}`)).reply ?? 0;
    expect(await ownerOf(id)).not.toBe(lost);
    expect(answered).toBe(60);
    for (const n of [1, 20, 21, 60])
      expect((await add(id, 1, `k${n}`)).body, `k${n}`).toEqual({ reply: n, version: n });
    await grid.order(lost);
    await grid.api.settled(grid.nodes);
    expect((await certainly(id, 1, "k61")).reply).toBe(61);
  });
});

describe("what has happened to an actor", () => {
  it("is shown in pages", async () => {
    for (let n = 1; n <= 5; n++) await certainly("shown", n, `shown-${n}`);
    const path = "/v1/actors/counter/shown/events";
    const { body } = await grid.api.json("GET", `${path}?from=2&limit=2`);
    expect(body).toMatchObject({
      entries: [
        { sequence: 2, version: 2, commandId: "shown-2", events: [2], reply: 3 },
        { sequence: 3, version: 3, commandId: "shown-3", events: [3], reply: 6 },
      ],
      next: 4,
    });
    expect(await grid.api.json("GET", `${path}?limit=501`)).toMatchObject({ status: 422 });
    expect(await grid.api.json("GET", `${path}?from=0`)).toMatchObject({ status: 422 });
    expect((await grid.api.json("POST", path, {})).status).toBe(405);
  });
});

describe("a command", () => {
  it.each([
    [{ cmd: 1 }, 400, "MALFORMED"],
    [{ command: { type: "add", amount: 1 }, commandId: "" }, 422, "OUT_OF_BOUNDS"],
    [{ command: { type: "add", amount: 1 }, commandId: "x".repeat(129) }, 422, "OUT_OF_BOUNDS"],
    [{ command: { type: "add", amount: 1 }, commandId: 7 }, 400, "MALFORMED"],
    [{ command: { type: "add", amount: 1 }, expectedVersion: -1 }, 422, "OUT_OF_BOUNDS"],
    [{ command: { type: "add", amount: 1 }, expectedVersion: 5 }, 409, "VERSION_CONFLICT"],
    [{ command: { type: "add", amount: 1 }, commandId: null }, 400, "COMMAND_WITHOUT_ID"],
    [{ command: null }, 500, "ACTOR_FAILED"],
  ])("%j is refused", async (body, status, code) => {
    const said = await grid.api.json<Said>("POST", "/v1/actors/counter/refusing", body);
    expect(said).toMatchObject({ status, body: { error: { code } } });
    expect(await totalOf("refusing")).toEqual({ reply: 0, version: 0 });
  });

  it("of a type that nobody has defined is refused, as is another method, and a refusal says why", async () => {
    const { api } = grid;
    const nobody = await api.json("POST", "/v1/actors/nobody/x", { command: 1 });
    expect(nobody).toMatchObject({ status: 404, body: { error: { code: "ACTOR_UNKNOWN" } } });
    expect((await api.json("PUT", "/v1/actors/counter/x", {})).status).toBe(405);
    const withdrawn = await api.json("POST", "/v1/actors/account/poor", {
      command: { type: "withdraw", amount: 5 },
    });
    expect(withdrawn).toMatchObject({
      status: 409,
      body: { error: { code: "COMMAND_REFUSED", refusal: "insufficient-funds", reason: "has 0" } },
    });
  });
});
