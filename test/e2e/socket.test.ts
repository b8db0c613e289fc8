import { encode } from "@msgpack/msgpack";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocal, type Local } from "../../src/cli/local.ts";
import { partitionOf } from "../../src/data/hash.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import { Api } from "./api.ts";
import { Client, opOf } from "./client.ts";

let local: Local;
let api: Api;

beforeAll(async () => {
  local = await startLocal({ port: 0, nodes: 3, partitions: 32 });
  api = new Api(local.url);
  await api.settled(["n1", "n2", "n3"]);
}, 60_000);
afterAll(() => local.dispose());

const ownerOf = (map: PartitionMapPayload, key: string): string | null | undefined =>
  map.partitions[partitionOf(key, map.partitionCount)]?.ownerNodeId;

const keys = Array.from({ length: 30 }, (_, i) => `k${i}`);

describe("a socket with forward", () => {
  it("writes and reads every key through one node, told where the foreign ones belong", async () => {
    const client = await Client.open(local.url, "?node=n1");
    const { map, nodeId, forward } = await client.hello(true, "forwarding");
    expect({ nodeId, forward }).toEqual({ nodeId: "n1", forward: true });
    const foreign = keys.flatMap((key, index) => (ownerOf(map, key) === "n1" ? [] : [index]));
    expect(foreign.length).toBeGreaterThan(0);

    const ops = keys.map((key, i) => opOf(key, encode(i), "forwarding", i));
    client.send({ type: "OPS", seq: 1, ops });
    const notice = await client.next("NOT_OWNER");
    expect(notice).toMatchObject({ seq: 1, applied: true });
    expect([...notice.indexes].toSorted((a, b) => a - b)).toEqual(foreign);
    expect(await client.next("ACK")).toEqual({ type: "ACK", seq: 1, exceptions: [] });

    client.send({ type: "GET", seq: 2, keys: keys.map((key) => ({ map: "ws", key })) });
    const { values } = await client.next("VALUES");
    expect(values.map((result) => (result.type === "value" ? result.value : null))).toEqual(
      keys.map((_, i) => encode(i)),
    );
    const other = await api.entries("ws");
    for (const [i, key] of keys.entries()) expect(other.get(key)).toBe(i);
    client.socket.close();
  });
});

describe("a socket without forward", () => {
  it("is told the owner of each foreign key, which is stored once it is sent there", async () => {
    const client = await Client.open(local.url, "?node=n2");
    const { map } = await client.hello(false, "smart");
    const ops = keys.map((key, i) => opOf(`f${key}`, encode(i), "smart", i));
    const foreign = ops.flatMap((op, index) => (ownerOf(map, op.key) === "n2" ? [] : [index]));
    client.send({ type: "OPS", seq: 1, ops });
    const notice = await client.next("NOT_OWNER");
    expect(notice.applied).toBe(false);
    const { exceptions } = await client.next("ACK");
    expect(exceptions.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(foreign);
    for (const { result } of exceptions)
      expect(result).toMatchObject({ type: "refused", error: { code: "NOT_OWNER" } });
    const stored = await api.entries("ws");
    for (const [index, op] of ops.entries())
      expect(stored.get(op.key), op.key).toBe(foreign.includes(index) ? undefined : index);

    for (const nodeId of ["n1", "n3"]) {
      const there = await Client.open(local.url, `?node=${nodeId}`);
      await there.hello(false, "smart");
      const theirs = ops.filter((op) => ownerOf(map, op.key) === nodeId);
      there.send({ type: "OPS", seq: 1, ops: theirs });
      expect(await there.next("ACK")).toMatchObject({ exceptions: [] });
      there.socket.close();
    }
    const all = await api.entries("ws");
    for (const [index, op] of ops.entries()) expect(all.get(op.key), op.key).toBe(index);
    client.socket.close();
  });
});

describe("bad frames get a typed error, and the next frame is served", () => {
  const good = opOf("good", encode(1), "bad-frames");
  const cases: [name: string, frame: Uint8Array, code: string][] = [
    ["no msgpack", new Uint8Array([0xc1]), "MALFORMED"],
    ["no map", encode([1, 2]), "MALFORMED"],
    ["an unknown type", encode({ type: "NOPE", seq: 5 }), "UNKNOWN_MESSAGE"],
    ["no type", encode({ seq: 5 }), "MALFORMED"],
    ["no ops", encode({ type: "OPS", seq: 5 }), "MALFORMED"],
    ["a flood of bytes", encode({ type: "OPS", x: new Uint8Array(1_100_000) }), "FRAME_TOO_LARGE"],
    ["a later protocol", encode({ type: "HELLO", version: 999 }), "PROTOCOL_VERSION_MISMATCH"],
  ];
  it.each(cases)("%s: %s", async (_, frame, code) => {
    const client = await Client.open(local.url, "?node=n1");
    await client.hello(true, "bad-frames");
    client.raw(frame);
    expect((await client.next("ERROR")).error.code).toBe(code);
    client.send({ type: "OPS", seq: 6, ops: [good] });
    expect((await client.next("ACK")).seq).toBe(6);
    client.socket.close();
  });

  it("whoever says nothing first is told HELLO_EXPECTED", async () => {
    const client = await Client.open(local.url);
    client.send({ type: "GET", seq: 1, keys: [{ map: "ws", key: "good" }] });
    expect((await client.next("ERROR")).error.code).toBe("HELLO_EXPECTED");
    await client.hello(true, "late");
    client.socket.close();
  });

  it("an op from the future is refused by itself", async () => {
    const client = await Client.open(local.url);
    await client.hello(true, "future");
    const late = { ...good, stamp: { ...good.stamp, millis: Date.now() + 3_600_000 } };
    client.send({ type: "OPS", seq: 1, ops: [late, { ...good, key: "beside" }] });
    const { exceptions } = await client.next("ACK");
    expect(exceptions).toMatchObject([{ index: 0, result: { error: { code: "CLOCK_DRIFT" } } }]);
    expect((await api.json("GET", "/v1/maps/ws/beside")).status).toBe(200);
    client.socket.close();
  });

  it("a node that is no member is not found, and without an upgrade there is no socket", async () => {
    await expect(Client.open(local.url, "?node=n9")).rejects.toThrow("no socket");
    expect((await api.json("GET", "/v1/ws?node=n1")).body).toMatchObject({
      error: { code: "MALFORMED", field: "upgrade" },
    });
  });
});
