/** Whatever comes, and is not as it should be: a typed error, nothing changed, the next request served. */
import { encode } from "@msgpack/msgpack";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ErrorInfo } from "../../src/protocol/errors.ts";
import { CREDIT_FRAMES } from "../../src/protocol/limits.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { Client, opOf } from "./client.ts";
import type { Grid } from "./grid.ts";
import { keysIn } from "./partition-writer.ts";
import { ask, type Asked } from "./raw.ts";
import { wayTo } from "./phases.ts";
import { PARTITION, PARTITIONS, Shuttle } from "./shuttle.ts";

let shuttle: Shuttle;
let grid: Grid;

beforeAll(async () => {
  shuttle = await Shuttle.start();
  ({ grid } = shuttle);
  await grid.api.json("PUT", "/v1/maps/bounds/stands", "untouched");
}, 60_000);
afterAll(() => grid.stop());

interface Refusal {
  readonly error: { readonly code: string; readonly message: string; readonly retry: string };
}

/** Everything that no refused request may change. */
async function state(): Promise<unknown> {
  interface Versions {
    readonly term: number;
    readonly viewVersion: number;
    readonly tableVersion: number;
    readonly migrations: object;
  }
  const { body } = await grid.api.json<Versions>("GET", "/v1/cluster");
  const { term, viewVersion, tableVersion, migrations } = body;
  const entries = [...(await grid.api.entries("bounds"))];
  return { term, viewVersion, tableVersion, migrations, entries };
}

async function servesNext(): Promise<void> {
  expect(await grid.api.json("PUT", "/v1/maps/next/k", 1)).toEqual({ status: 200, body: 1 });
}

const batch = "/v1/maps/bounds";
const entry = "/v1/maps/bounds/stands";
const nodes = "/v1/cluster/nodes";
const moves = "/v1/cluster/migrations";
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

type Row = readonly [method: string, path: string, body: Asked["body"], code: string];

const requests: readonly Row[] = [
  ["PUT", entry, '"\\ud800"', "BAD_TEXT"],
  ["PUT", entry, bytes('"\xff\xfe"'), "BAD_TEXT"],
  ["PUT", entry, bytes('"\xed\xa0\x80"'), "BAD_TEXT"],
  ["PUT", entry, "", "BAD_JSON"],
  ["PUT", entry, '{"a":', "BAD_JSON"],
  ["PUT", entry, "1 2", "BAD_JSON"],
  ["PUT", entry, `"${"v".repeat(2 ** 21)}"`, "FRAME_TOO_LARGE"],
  ["PUT", `${entry}?ttl=0`, "1", "OUT_OF_BOUNDS"],
  ["PUT", `${entry}?ttl=99999999999999`, "1", "OUT_OF_BOUNDS"],
  ["PUT", `${entry}?ttl=soon`, "1", "MALFORMED"],
  ["PUT", `/v1/maps/bounds/${"%F0%9F%98%80".repeat(129)}`, "1", "OUT_OF_BOUNDS"],
  ["PUT", "/v1/maps/bounds/%ed%a0%80", "1", "BAD_TEXT"],
  ["PUT", "/v1/maps/bounds/%", "1", "BAD_TEXT"],
  ["POST", batch, "[]", "MALFORMED"],
  ["POST", batch, "null", "MALFORMED"],
  ["POST", batch, '{"put":[1]}', "MALFORMED"],
  ["POST", batch, '{"puts":{"stands":1}}', "MALFORMED"],
  ["POST", batch, '{"delete":"stands"}', "MALFORMED"],
  ["POST", batch, '{"put":{"stands":1},"delete":["stands"]}', "MALFORMED"],
  ["POST", batch, JSON.stringify({ put: Object.fromEntries(keys(1_001)) }), "TOO_MANY_OPS"],
  ["GET", `${batch}?limit=1e3`, undefined, "MALFORMED"],
  ["GET", `${batch}?limit=99999999999999999999`, undefined, "OUT_OF_BOUNDS"],
  ["GET", `${batch}?cursor=${Buffer.from("9999").toString("base64url")}`, undefined, "BAD_CURSOR"],
  ["GET", `${batch}?cursor=%00`, undefined, "BAD_CURSOR"],
  ["GET", "/v1/map?version=-1", undefined, "OUT_OF_BOUNDS"],
  ["GET", "/v1/cluster/nodes/n1", undefined, "METHOD_NOT_ALLOWED"],
  ["DELETE", "/v1/cluster", undefined, "METHOD_NOT_ALLOWED"],
  ["OPTIONS", "/v1/cluster", undefined, "METHOD_NOT_ALLOWED"],
  ["GET", "/v1", undefined, "ROUTE_NOT_FOUND"],
  ["GET", "/v1/cluster/", undefined, "ROUTE_NOT_FOUND"],
  ["GET", "//v1/cluster", undefined, "ROUTE_NOT_FOUND"],
  ["POST", nodes, '{"count":0}', "OUT_OF_BOUNDS"],
  ["POST", nodes, '{"count":101}', "OUT_OF_BOUNDS"],
  ["POST", nodes, '{"count":1.5}', "MALFORMED"],
  ["POST", nodes, '{"count":"2"}', "MALFORMED"],
  ["POST", nodes, '{"count":null}', "MALFORMED"],
  ["POST", nodes, '{"weight":0}', "OUT_OF_BOUNDS"],
  ["POST", nodes, '{"weight":-1}', "OUT_OF_BOUNDS"],
  ["POST", nodes, '{"id":"No Name"}', "MALFORMED"],
  ["POST", nodes, '{"id":"coordinator"}', "MALFORMED"],
  ["POST", nodes, '{"id":"n7","count":2}', "MALFORMED"],
  ["POST", nodes, '{"region":"\\ud800"}', "BAD_TEXT"],
  ["POST", nodes, '{"number":1}', "MALFORMED"],
  ["POST", nodes, "{", "BAD_JSON"],
  ["POST", `${nodes}/n9/drain`, undefined, "NODE_NOT_FOUND"],
  ["POST", moves, '{"partition":5}', "MALFORMED"],
  ["POST", moves, '{"partition":-1,"to":"n1"}', "OUT_OF_BOUNDS"],
  ["POST", moves, '{"partition":1e99,"to":"n1"}', "OUT_OF_BOUNDS"],
  ["POST", moves, '{"partition":9999,"to":"n1"}', "PARTITION_NOT_FOUND"],
  ["POST", moves, '{"partition":5,"to":"n9"}', "NODE_NOT_FOUND"],
  ["POST", moves, '{"partition":5,"to":["n1"]}', "MALFORMED"],
  ["DELETE", `${moves}/5`, undefined, "MIGRATION_NOT_FOUND"],
  ["DELETE", `${moves}/9999`, undefined, "PARTITION_NOT_FOUND"],
  ["DELETE", `${moves}/-1`, undefined, "OUT_OF_BOUNDS"],
  ["GET", "/v1/cluster?cluster=", undefined, "MALFORMED"],
  ["GET", `/v1/cluster?cluster=${"c".repeat(33)}`, undefined, "MALFORMED"],
];

function keys(count: number): [string, number][] {
  return Array.from({ length: count }, (_, i) => [`k${i}`, i]);
}

function titleOf([method, path, body = "", code]: Row): string {
  const shown = typeof body === "string" ? body : "bytes";
  return `${method} ${path.slice(0, 60)} ${shown.slice(0, 40)}: ${code}`;
}

describe("a request", () => {
  it.each(requests.map((row) => [titleOf(row), ...row] as const))("%s", async (...row) => {
    const [, method, path, body, code] = row;
    const before = await state();
    const asked = body === undefined ? { method, path } : { method, path, body };
    const { status, text } = await ask(grid.api.base, asked);
    const { error } = JSON.parse(text) as Refusal;
    expect({ code: error.code, retry: error.retry }).toEqual({ code, retry: "never" });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    await servesNext();
    expect(await state()).toEqual(before);
  });

  it("that moves a partition to its owner is told so", async () => {
    const before = await state();
    const to = await grid.ownerOf(PARTITION);
    const { status, body } = await grid.api.json<Refusal>("POST", moves, { partition: 5, to });
    expect({ status, code: body.error.code }).toEqual({ status: 409, code: "ALREADY_OWNER" });
    expect(await state()).toEqual(before);
  });

  it("with a lone surrogate among its keys stores the others", async () => {
    const body = '{"put":{"\\ud800":1,"fine":2},"delete":["\\udfff"]}';
    const { status, text } = await ask(grid.api.base, { method: "POST", path: batch, body });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      results: {
        fine: { ok: true },
        "\ud800": { error: { code: "BAD_TEXT" } },
        "\udfff": { error: { code: "BAD_TEXT" } },
      },
    });
    const stored = await grid.api.entries("bounds");
    expect(Object.fromEntries(stored)).toEqual({ stands: "untouched", fine: 2 });
  });

  it.each([
    [{ host: "localhost" }, 200],
    [{ host: "[::1]:8787" }, 200],
    [{ host: "godwit.example" }, 503],
    [{ host: "localhost.evil.example" }, 503],
    [{ host: "localhost", origin: "http://localhost:5173" }, 200],
    [{ host: "localhost", origin: "https://evil.example" }, 503],
    [{ host: "localhost", origin: "null" }, 503],
  ])("from %o gets %i: without a secret only loopback is served", async (headers, wanted) => {
    const { status, text } = await ask(grid.api.base, { method: "GET", path: "/v1/map", headers });
    expect(status).toBe(wanted);
    if (wanted !== 200) expect((JSON.parse(text) as Refusal).error.code).toBe("INSECURE");
  });
});

const good = opOf("good", encode(1), "bounds");
const wire = [good.map, "wire", Date.now(), 0, "bounds", encode(2), null];
const ops = (...list: readonly unknown[]): Uint8Array => encode({ type: "OPS", seq: 5, ops: list });
const whole = ops(wire, wire);

/** The second op has a key that is no UTF-8: nothing of the first may be applied. */
function broken(key: readonly number[]): Uint8Array {
  const mark = "#".repeat(key.length);
  const sent = Buffer.from(ops(wire, wire.with(1, mark)));
  Buffer.from(key).copy(sent, sent.indexOf(mark));
  return sent;
}

const hello = (changed: object): Uint8Array =>
  encode({ type: "HELLO", version: PROTOCOL_VERSION, cluster: "main", forward: true, ...changed });

const frames: readonly [name: string, frame: Uint8Array | string, code: string][] = [
  ["an unknown type", encode({ type: "MERGE_REQUEST", seq: 5 }), "UNKNOWN_MESSAGE"],
  ["a type from every object", encode({ type: "constructor", seq: 5 }), "UNKNOWN_MESSAGE"],
  ["nothing", new Uint8Array(0), "MALFORMED"],
  ["a frame without its end", whole.subarray(0, whole.length - 1), "MALFORMED"],
  ["half a frame", whole.subarray(0, whole.length / 2), "MALFORMED"],
  ["a frame and a byte", Uint8Array.of(...whole, 0), "MALFORMED"],
  ["2 MiB", encode({ type: "OPS", seq: 5, ops: new Uint8Array(2 ** 21) }), "FRAME_TOO_LARGE"],
  ["a key of 513 bytes", ops(wire, wire.with(1, "k".repeat(513))), "OUT_OF_BOUNDS"],
  ["a value too large", ops(wire, wire.with(5, new Uint8Array(2 ** 18 + 1))), "OUT_OF_BOUNDS"],
  ["1,001 ops", ops(...Array.from({ length: 1_001 }, () => wire)), "TOO_MANY_OPS"],
  ["a lone surrogate", broken([0xed, 0xa0, 0x80]), "BAD_TEXT"],
  ["a key that is no UTF-8", broken([0xff, 0xfe]), "BAD_TEXT"],
  ["an overlong slash", broken([0xc0, 0xaf]), "BAD_TEXT"],
  ["a counter below 0", ops(wire, wire.with(3, -1)), "OUT_OF_BOUNDS"],
  ["a moment after the end of time", ops(wire, wire.with(2, 2 ** 60)), "OUT_OF_BOUNDS"],
  ["a read without a key", encode({ type: "GET", seq: 5, keys: [["bounds"]] }), "MALFORMED"],
  ["another cluster", hello({ cluster: "other" }), "WRONG_CLUSTER_ID"],
  ["no name of a cluster", hello({ cluster: "No!" }), "MALFORMED"],
  ["an earlier protocol", hello({ version: 0 }), "PROTOCOL_VERSION_MISMATCH"],
  ["a later one", hello({ version: PROTOCOL_VERSION + 1 }), "PROTOCOL_VERSION_MISMATCH"],
  ["text", "hello", "MALFORMED"],
];

describe("a frame", () => {
  it.each(frames.map(([name, ...rest]) => [`${name}: ${rest[1]}`, ...rest] as const))(
    "%s",
    async (_, frame, code) => {
      const before = await state();
      const client = await Client.open(grid.api.base, "?node=n1");
      await client.hello(true, "bounds");
      if (typeof frame === "string") client.socket.send(frame);
      else client.raw(frame);
      const { error }: { error: ErrorInfo } = await client.next("ERROR");
      expect({ code: error.code, retry: error.retry }).toEqual({ code, retry: "never" });
      client.send({ type: "GET", seq: 6, keys: [{ map: good.map, key: "wire" }] });
      expect((await client.next("VALUES")).values).toMatchObject([{ type: "value", value: null }]);
      client.send({ type: "OPS", seq: 7, ops: [good] });
      expect(await client.next("ACK")).toEqual({ type: "ACK", seq: 7, exceptions: [] });
      client.socket.close();
      expect(await state()).toEqual(before);
    },
  );

  it("with stamps of another time stores what is of this one", async () => {
    const client = await Client.open(grid.api.base);
    await client.hello(true, "clocks");
    const hour = 3_600_000;
    const at = (key: string, ms: number) => {
      const op = opOf(key, encode(1), "clocks");
      return { ...op, stamp: { ...op.stamp, millis: Date.now() + ms } };
    };
    const sent = [at("ahead", hour), at("now", 0), at("behind", -25 * hour), at("a bit", -hour)];
    client.send({ type: "OPS", seq: 1, ops: sent });
    expect((await client.next("ACK")).exceptions).toMatchObject([
      { index: 0, result: { error: { code: "CLOCK_DRIFT" } } },
      { index: 2, result: { error: { code: "STAMP_TOO_OLD" } } },
    ]);
    const stored = await grid.api.entries("ws");
    expect(sent.map(({ key }) => stored.has(key))).toEqual([false, true, false, true]);
    client.socket.close();
  });

  it("beyond the credit is refused for now, and nothing before it is lost", async () => {
    const owner = await grid.ownerOf(PARTITION);
    const other = grid.nodes.find((node) => node !== owner) ?? "";
    const client = await Client.open(grid.api.base, `?node=${other}`);
    await client.hello(true, "credit");
    const sent = keysIn(PARTITION, PARTITIONS, { prefix: "c", count: CREDIT_FRAMES + 2 });
    const release = grid.disk.hold(owner);
    try {
      for (const [seq, key] of sent.entries())
        client.send({ type: "OPS", seq, ops: [opOf(key, encode(seq), "credit", seq)] });
      // In either order: one may be refused at the door while the other waits behind those before it.
      const refused = [await client.next("ERROR"), await client.next("ERROR")];
      expect(refused.toSorted((a, b) => Number(a.seq) - Number(b.seq))).toMatchObject(
        [CREDIT_FRAMES, CREDIT_FRAMES + 1].map((seq) => ({
          seq,
          error: { code: "CREDIT_EXCEEDED", retry: "later" },
        })),
      );
    } finally {
      release();
    }
    for (let acks = 0; acks < CREDIT_FRAMES; acks++)
      expect((await client.next("ACK")).exceptions).toEqual([]);
    const stored = await grid.api.entries("ws");
    for (const [seq, key] of sent.entries())
      expect(stored.get(key)).toBe(seq < CREDIT_FRAMES ? seq : undefined);
    client.socket.close();
  });
});

describe("an order that comes at the wrong time", () => {
  it("to move what is being moved: later", async () => {
    await shuttle.move(wayTo("copying"), async ({ source }) => {
      const again = { partition: PARTITION, to: source };
      const { status, body } = await grid.api.json<Refusal>("POST", moves, again);
      expect({ status, error: body.error }).toMatchObject({
        status: 409,
        error: { code: "MIGRATION_IN_PROGRESS", retry: "later" },
      });
      return shuttle.saved().phase === "copying";
    });
  });

  it("to cancel what is decided: never", async () => {
    await shuttle.move(wayTo("finalizing"), async () => {
      const { status, body } = await grid.api.json<Refusal>("DELETE", `${moves}/${PARTITION}`);
      if (shuttle.saved().phase !== "finalizing") return false;
      expect({ status, error: body.error }).toMatchObject({
        status: 409,
        error: { code: "MIGRATION_DECIDED", retry: "never" },
      });
      return true;
    });
  });

  it("the last node may neither leave nor be drained", async () => {
    const solo = (path: string): string => `/v1/cluster${path}?cluster=solo`;
    const put = (): Promise<{ status: number; body: unknown }> =>
      grid.api.json("PUT", "/v1/maps/m/k?cluster=solo", 1);
    expect((await put()).status).toBe(200);
    for (const node of ["n2", "n3"])
      expect((await grid.api.json("DELETE", solo(`/nodes/${node}`))).status).toBe(202);
    const orders = [
      ["DELETE", "/nodes/n1"],
      ["POST", "/nodes/n1/drain"],
    ] as const;
    for (const [method, path] of orders) {
      const { status, body } = await grid.api.json<Refusal>(method, solo(path));
      expect({ status, error: body.error }).toMatchObject({
        status: 409,
        error: { code: "LAST_NODE", retry: "never" },
      });
      expect(await put()).toEqual({ status: 200, body: 1 });
    }
  });
});
