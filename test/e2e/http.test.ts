import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocal, type Local } from "../../src/cli/local.ts";
import { Api } from "./api.ts";
import { OneConnection } from "./one-connection.ts";

let local: Local;
let api: Api;

beforeAll(async () => {
  local = await startLocal({ port: 0, nodes: 2, partitions: 16 });
  api = new Api(local.url);
  await api.settled(["n1", "n2"]);
}, 60_000);
afterAll(() => local.dispose());

interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string };
}

describe("maps over HTTP", () => {
  it.each([
    ["a plain key", "k"],
    ["an empty key", ""],
    ["slashes, colons and braces", "a/b:c{d}_e"],
    ["an emoji", "😀"],
  ])("an entry under %s is put, read and deleted", async (_, key) => {
    const path = `/v1/maps/m/${encodeURIComponent(key)}`;
    expect(await api.json("PUT", path, { n: 1, list: [null, "x"] })).toMatchObject({ status: 200 });
    expect((await api.json("GET", path)).body).toEqual({ n: 1, list: [null, "x"] });
    expect((await api.json("DELETE", path)).status).toBe(204);
    expect((await api.json<ErrorBody>("GET", path)).body.error.code).toBe("KEY_NOT_FOUND");
  });

  it("a null is a stored value", async () => {
    await api.json("PUT", "/v1/maps/m/nothing", null);
    expect(await api.json("GET", "/v1/maps/m/nothing")).toEqual({ status: 200, body: null });
  });

  it("an entry with a time to live is gone after it", async () => {
    await api.json("PUT", "/v1/maps/m/brief?ttl=300", 1);
    expect((await api.json("GET", "/v1/maps/m/brief")).status).toBe(200);
    await new Promise((resume) => setTimeout(resume, 400));
    expect((await api.json("GET", "/v1/maps/m/brief")).status).toBe(404);
  });

  it("a batch answers key by key, and a scan gives every entry once", async () => {
    const put = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`b${i}`, i]));
    const { body } = await api.json<{ results: Record<string, unknown> }>("POST", "/v1/maps/scan", {
      put: { ...put, ["x".repeat(513)]: 1 },
      delete: ["never"],
    });
    expect(
      Object.values(body.results).filter((result) => JSON.stringify(result) === '{"ok":true}'),
    ).toHaveLength(121);
    expect(body.results["x".repeat(513)]).toMatchObject({ error: { code: "OUT_OF_BOUNDS" } });
    expect(Object.fromEntries(await api.entries("scan"))).toEqual(put);
  });

  it("the map of partitions answers 304 to who knows it", async () => {
    const { body } = await api.json<{ version: number; viewVersion: number }>("GET", "/v1/map");
    const { version, viewVersion } = body;
    const status = async (query: string): Promise<number> =>
      (await api.json("GET", `/v1/map?${query}`)).status;
    expect(await status(`version=${version}`)).toBe(304);
    expect(await status(`version=${version}&viewVersion=${viewVersion}`)).toBe(304);
    expect(await status("version=1")).toBe(200);
    expect(await status(`version=${version}&viewVersion=${viewVersion - 1}`)).toBe(200);
  });
});

describe("bad input gets a typed error, and the next request is served", () => {
  const cases: [method: string, path: string, body: string | undefined, code: string][] = [
    ["PUT", `/v1/maps/m/${"k".repeat(513)}`, "1", "OUT_OF_BOUNDS"],
    ["PUT", `/v1/maps/${"m".repeat(129)}/k`, "1", "OUT_OF_BOUNDS"],
    ["PUT", "/v1/maps/m/k", "{", "BAD_JSON"],
    ["PUT", "/v1/maps/m/k", `"${"v".repeat(300_000)}"`, "OUT_OF_BOUNDS"],
    ["PUT", "/v1/maps/m/k", `"${"v".repeat(2_000_000)}"`, "FRAME_TOO_LARGE"],
    ["PUT", "/v1/maps/m/%ED%A0%80", "1", "BAD_TEXT"],
    ["PUT", "/v1/maps/m/k?ttl=-5", "1", "OUT_OF_BOUNDS"],
    ["GET", "/v1/maps/m?cursor=garbage", undefined, "BAD_CURSOR"],
    ["GET", "/v1/maps/m?limit=0", undefined, "OUT_OF_BOUNDS"],
    ["GET", "/v1/nowhere", undefined, "ROUTE_NOT_FOUND"],
    ["PATCH", "/v1/maps/m/k", "1", "METHOD_NOT_ALLOWED"],
    ["POST", "/v1/cluster/nodes", '{"count":-1}', "OUT_OF_BOUNDS"],
    ["POST", "/v1/cluster/nodes", '{"count":1e9}', "OUT_OF_BOUNDS"],
    ["POST", "/v1/cluster/nodes", '{"id":"n1"}', "NODE_ID_USED"],
    ["POST", "/v1/cluster/migrations", '{"partition":0,"to":"n99"}', "NODE_NOT_FOUND"],
    ["POST", "/v1/cluster/migrations", '{"partition":9999,"to":"n1"}', "PARTITION_NOT_FOUND"],
    ["DELETE", "/v1/cluster/migrations/3", undefined, "MIGRATION_NOT_FOUND"],
    ["DELETE", "/v1/cluster/nodes/n99", undefined, "NODE_NOT_FOUND"],
    ["GET", "/v1/cluster?cluster=No!", undefined, "MALFORMED"],
  ];
  it.each(cases)("%s %s %s: %s", async (method, path, body, code) => {
    const { version } = (await api.json<{ version: number }>("GET", "/v1/map")).body;
    const init = body === undefined ? { method } : { method, body };
    const response = await fetch(new URL(path, local.url), init);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect((await api.json("PUT", "/v1/maps/m/next", 1)).status).toBe(200);
    expect((await api.json<{ version: number }>("GET", "/v1/map")).body.version).toBe(version);
  });
});

it("a body that is too large is refused and its connection kept", async () => {
  using connection = new OneConnection(local.url);
  expect((await connection.put("/v1/maps/m/large", "v".repeat(2_000_000))).status).toBe(413);
  expect(await connection.put("/v1/maps/m/next", "1")).toEqual({ status: 200, reused: true });
});
