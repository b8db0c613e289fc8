/** Sets and counters over HTTP and sockets, at rest and while their partition moves. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { partitionOf } from "../../src/data/hash.ts";
import type { ClientOp } from "../../src/protocol/client-messages.ts";
import type { ReadResult } from "../../src/protocol/ops.ts";
import { Client } from "./client.ts";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 16;
let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: PARTITIONS, backups: 1 });
}, 60_000);
afterAll(() => grid.stop());

interface SetBody {
  readonly values: readonly unknown[];
  readonly cursor: string | null;
}
const setAt = (key: string) => `/v1/sets/m/${key}`;
const counterAt = (key: string) => `/v1/counters/m/${key}`;
const valuesOf = async (key: string): Promise<unknown[]> => {
  const { status, body } = await grid.api.json<SetBody>("GET", setAt(key));
  expect(status).toBe(200);
  return body.values.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
};
const post = (path: string, body: unknown) => grid.api.json<unknown>("POST", path, body);

describe("a set over HTTP", () => {
  it("has three values after three adds; removing one leaves two, all none, as one that never was", async () => {
    for (const value of ["a", { b: 1 }, null])
      expect(await post(setAt("three"), value)).toEqual({ status: 200, body: value });
    expect(await valuesOf("three")).toEqual(["a", null, { b: 1 }]);
    expect(await grid.api.json("DELETE", setAt("three"), "a")).toMatchObject({ status: 204 });
    expect(await valuesOf("three")).toEqual([null, { b: 1 }]);
    for (const value of [{ b: 1 }, null, "never"])
      expect((await grid.api.json("DELETE", setAt("three"), value)).status).toBe(204);
    expect(await valuesOf("three")).toEqual([]);
    expect(await grid.api.json("GET", setAt("never"))).toEqual({
      status: 200,
      body: { values: [], cursor: null },
    });
  });

  it("has a value once, however often it was added, and loses it at once; a part of it at a time", async () => {
    const all = Array.from({ length: 50 }, (_, i) => i);
    await Promise.all([...all, ...all, 7, 7].map((i) => post(setAt("parts"), i)));
    const read: unknown[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { body } = await grid.api.json<SetBody>("GET", `${setAt("parts")}?limit=7${at}`);
      expect(body.values.length).toBeLessThanOrEqual(7);
      read.push(...body.values);
      ({ cursor } = body);
    }
    expect(read.toSorted((a, b) => Number(a) - Number(b))).toEqual(all);
    await grid.api.json("DELETE", setAt("parts"), 7);
    expect(await valuesOf("parts")).toHaveLength(49);
  });

  it("is gone after its time to live, and an entry of that key is another thing", async () => {
    expect((await post(`${setAt("brief")}?ttl=200&ack=backup`, 1)).status).toBe(200);
    await grid.api.json("PUT", "/v1/maps/m/brief", "entry");
    await pause(300);
    expect(await valuesOf("brief")).toEqual([]);
    expect((await grid.api.json("GET", "/v1/maps/m/brief")).body).toBe("entry");
    expect((await grid.api.entries("m")).get("brief")).toBe("entry");
  });

  it.each([
    ["GET", `${setAt("k")}?limit=0`, undefined, 422],
    ["GET", `${setAt("k")}?cursor=x`, undefined, 400],
    ["POST", `${setAt("k")}?ack=all`, 1, 400],
    ["POST", setAt("k"), "x".repeat(300 * 1024), 422],
    ["PUT", setAt("k"), 1, 405],
    ["GET", "/v1/sets/m", undefined, 404],
    ["POST", counterAt("k"), { add: 1.5 }, 400],
    ["POST", counterAt("k"), { add: "1" }, 400],
    ["POST", counterAt("k"), { add: 2 ** 60 }, 422],
    ["POST", counterAt("k"), {}, 400],
    ["POST", counterAt("k"), { add: 1, twice: true }, 400],
    ["DELETE", counterAt("k"), undefined, 405],
  ])("%s %s is refused", async (method, path, body, status) => {
    expect((await grid.api.json(method, path, body)).status).toBe(status);
  });
});

describe("a counter over HTTP", () => {
  it("answers with what it stands at, and stands at nothing before", async () => {
    expect(await grid.api.json("GET", counterAt("n"))).toEqual({ status: 200, body: { value: 0 } });
    for (const [add, value] of [
      [5, 5],
      [-7, -2],
      [0, -2],
    ])
      expect(await post(counterAt("n"), { add })).toEqual({ status: 200, body: { value } });
    expect(await grid.api.json("GET", counterAt("n"))).toMatchObject({ body: { value: -2 } });
  });
});

/** Counts, adds and removes over a socket, and sends again what was refused. */
class Socket {
  readonly #client: Client;
  #seq = 0;
  private constructor(client: Client) {
    this.#client = client;
  }
  static async open(id: string): Promise<Socket> {
    const client = await Client.open(grid.api.base);
    await client.hello(true, id);
    return new Socket(client);
  }
  async apply(op: ClientOp): Promise<void> {
    this.#client.send({ type: "OPS", seq: ++this.#seq, ops: [op] });
    expect((await this.#client.next("ACK")).exceptions).toEqual([]);
  }
  async ask(key: "members" | "total", name: string): Promise<ReadResult | undefined> {
    const of = { map: "m", key: name };
    const members = { type: "members", ...of, after: null, limit: 1_000 } as const;
    const asked = key === "members" ? members : ({ type: "total", ...of } as const);
    this.#client.send({ type: "GET", seq: ++this.#seq, keys: [asked] });
    return (await this.#client.next("VALUES")).values[0];
  }
}

describe("while their partition moves", () => {
  const KEY = "busy";
  const partition = partitionOf(KEY, PARTITIONS);

  it("nothing is refused, counted twice or lost, and a scan gives each entry exactly once", async () => {
    const still = Array.from({ length: 100 }, (_, i) => `s${i}`);
    const put = Object.fromEntries(still.map((key) => [key, 1]));
    expect((await post("/v1/maps/still", { put })).status).toBe(200);
    const there = new Set<number>();
    let counted = 0;
    let scans = 0;
    const run = { isOver: false };
    const http = async (writer: number): Promise<void> => {
      for (let n = writer; !run.isOver; n += 3) {
        expect((await post(setAt(KEY), n)).status).toBe(200);
        there.add(n);
        if (n % 2 === 0) {
          expect((await grid.api.json("DELETE", setAt(KEY), n)).status).toBe(204);
          there.delete(n);
        }
        const add = (n % 5) - 1;
        expect((await post(counterAt(KEY), { add })).status).toBe(200);
        counted += add;
      }
    };
    const socket = await Socket.open("c1");
    const overSocket = async (): Promise<void> => {
      for (let n = 1; !run.isOver; n++) {
        const stamp = { millis: Date.now(), counter: n % 60_000, node: "c1" };
        const value = Uint8Array.of(0xcd, 0xf0 + (n % 10), n & 255); // msgpack, above all of HTTP
        const of = { map: "m", key: KEY, stamp, value };
        await socket.apply({ type: "add", ...of, expiresAt: null });
        await socket.apply({ type: "count", map: "m", key: KEY, inc: n, dec: 2 * n });
        await socket.apply({ type: "remove", ...of, tags: [stamp] });
        counted -= 1;
      }
    };
    const scan = async (): Promise<void> => {
      for (; !run.isOver; scans++) {
        const seen: string[] = [];
        for (let cursor: string | null = ""; cursor !== null;) {
          const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
          const { body } = await grid.api.json<{
            entries: { key: string }[];
            cursor: string | null;
          }>("GET", `/v1/maps/still?limit=9${at}`);
          seen.push(...body.entries.map(({ key }) => key));
          ({ cursor } = body);
        }
        expect(seen.toSorted()).toEqual(still.toSorted());
      }
    };
    const running = Promise.all([http(0), http(1), http(2), overSocket(), scan()]);
    const owners = new Set<string>();
    try {
      for (let i = 0; i < 4; i++) {
        const owner = await grid.ownerOf(partition);
        owners.add(owner);
        const to = grid.nodes[(grid.nodes.indexOf(owner) + 1) % grid.nodes.length];
        const order = { partition, to };
        expect((await post("/v1/cluster/migrations", order)).status).toBe(202);
        await grid.api.settled(grid.nodes);
      }
    } finally {
      run.isOver = true;
      await running;
    }
    expect(owners.size).toBe(3);
    expect(scans, "each over a move or more").toBeGreaterThan(0);
    expect(there.size).toBeGreaterThan(4);
    const wanted = [...there].toSorted((a, b) => a - b);
    const values = await valuesOf(KEY);
    expect(values.map(Number).toSorted((a, b) => a - b)).toEqual(wanted);
    expect(await grid.api.json("GET", counterAt(KEY))).toMatchObject({ body: { value: counted } });
    for (const id of ["c2", "c3"]) {
      const fresh = await Socket.open(id);
      const members = await fresh.ask("members", KEY);
      expect(members?.type === "members" && members.members.length).toBe(wanted.length);
      const total = await fresh.ask("total", KEY);
      expect(total?.type === "total" && total.inc - total.dec).toBe(counted);
    }
  }, 120_000);
});
