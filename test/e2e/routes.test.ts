import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCursor, encodeCursor } from "../../src/worker/cursor.ts";
import { clusterOf, pinnedOf, routeOf } from "../../src/worker/routes.ts";
import { encodeJson } from "../../src/protocol/values.ts";
import { jsonText } from "../../src/worker/values.ts";
import { PartitionId } from "../../src/data/ids.ts";
import { ERRORS } from "../../src/protocol/errors.ts";
import { KEY_BYTES_MAX } from "../../src/protocol/limits.ts";

const route = (method: string, path: string) => routeOf(method, new URL(path, "http://localhost"));
const codeOf = (method: string, path: string): string => {
  const asked = route(method, path);
  return asked.ok ? asked.value.type : asked.error.code;
};
const text = fc.string({ unit: "binary", maxLength: 100 });

describe("what a request asks for", () => {
  it("every key that is percent-encoded arrives as it was, but for dot segments", () => {
    const key = text.filter((name) => name !== "." && name !== "..");
    fc.assert(
      fc.property(key, (name) => {
        expect(route("GET", `/v1/maps/m/${encodeURIComponent(name)}`)).toEqual({
          ok: true,
          value: { type: "get", map: "m", key: name },
        });
      }),
    );
  });

  it("any method, path and query gives a route or a typed error, and never throws", () => {
    const names = ["nodes", "migrations", "rebalance", "drain", "n1", "7", "%", "%ff", ""];
    const first = fc.constantFrom(
      "maps",
      "maps",
      "sets",
      "counters",
      "map",
      "cluster",
      "ws",
      "%",
      "",
    );
    const word = fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 5 }));
    const verbs = fc.constantFrom("GET", "PUT", "POST", "DELETE", "PATCH", "constructor", "");
    const query = fc.oneof(fc.constant(""), fc.webQueryParameters(), fc.string());
    const path = fc.tuple(first, fc.array(word, { maxLength: 3 }));
    let found = 0;
    let refused = 0;
    fc.assert(
      fc.property(verbs, path, query, (verb, [start, words], search) => {
        const url = new URL("http://localhost");
        url.pathname = ["v1", start, ...words].join("/");
        url.search = search;
        const asked = routeOf(verb, url);
        if (asked.ok) found++;
        else {
          refused++;
          expect(ERRORS).toHaveProperty(asked.error.code);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(found, refused)).toBeGreaterThan(50);
  });

  it.each([
    ["GET", "/", "ROUTE_NOT_FOUND"],
    ["GET", "/v2/maps/m/k", "ROUTE_NOT_FOUND"],
    ["GET", "/v1/maps/m/a/b", "ROUTE_NOT_FOUND"],
    ["POST", "/v1/maps/m/k", "METHOD_NOT_ALLOWED"],
    ["constructor", "/v1/map", "METHOD_NOT_ALLOWED"],
    ["GET", "/v1/maps/m/%ff", "BAD_TEXT"],
    ["GET", "/v1/maps/m?prefix=%ff", "BAD_TEXT"],
    ["GET", "/v1/maps//k", "OUT_OF_BOUNDS"],
    ["GET", "/v1/maps/m?limit=1001", "OUT_OF_BOUNDS"],
    ["GET", "/v1/maps/m?limit=1.5", "MALFORMED"],
    ["GET", "/v1/maps/m?cursor=", "BAD_CURSOR"],
    ["PUT", "/v1/maps/m/k?ttl=0", "OUT_OF_BOUNDS"],
    ["PUT", "/v1/maps/m/k?ttl=1e3", "MALFORMED"],
    ["PUT", "/v1/maps/m/k?ack=all", "MALFORMED"],
    ["DELETE", "/v1/maps/m/k?ack=", "MALFORMED"],
    ["POST", "/v1/maps/m?ack=Backup", "MALFORMED"],
    ["GET", "/v1/ws?node=N1", "MALFORMED"],
    ["DELETE", "/v1/cluster/nodes/n1?force=maybe", "MALFORMED"],
    ["DELETE", "/v1/cluster/nodes/front", "MALFORMED"],
    ["DELETE", "/v1/cluster/migrations/x", "MALFORMED"],
    ["DELETE", "/v1/cluster/migrations/99999", "OUT_OF_BOUNDS"],
    ["POST", "/v1/cluster/nodes/n1/drain", "drain"],
    ["DELETE", "/v1/cluster/nodes/n1", "remove-node"],
    ["POST", "/v1/cluster/rebalance", "rebalance"],
    ["DELETE", "/v1/cluster/migrations/7", "cancel"],
  ])("%s %s: %s", (method, path, code) => {
    expect(codeOf(method, path)).toBe(code);
  });

  it("a cluster has a name, main where none is given", () => {
    const of = (query: string) => clusterOf(new URL(`http://localhost/${query}`));
    expect(of("")).toEqual({ ok: true, value: "main" });
    expect(of("?cluster=a-1")).toEqual({ ok: true, value: "a-1" });
    for (const name of ["", "A", "a/b", "x".repeat(33)])
      expect(of(`?cluster=${name}`).ok).toBe(false);
  });

  it("a pinned version is a whole number", () => {
    const of = (version: string) => pinnedOf(new Headers({ "x-godwit-map-version": version }));
    expect(of("12")).toEqual({ ok: true, value: 12 });
    for (const version of ["", "x", "-1", "1.5", "1e99"]) expect(of(version).ok).toBe(false);
    expect(pinnedOf(new Headers())).toEqual({ ok: true, value: null });
  });
});

describe("cursors", () => {
  const after = fc.option(text.filter((key) => Buffer.byteLength(key) <= KEY_BYTES_MAX));
  it("come back as they were made", () => {
    fc.assert(
      fc.property(fc.nat(16_383), after, (partition, key) => {
        const cursor = { partitionId: PartitionId(partition), after: key };
        expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
      }),
    );
  });

  it("are nothing else: whatever decodes is what encodes to it", () => {
    const base64 = (plain: string): string => Buffer.from(plain).toString("base64url");
    const almost = fc.stringMatching(/^-?\d{1,6}(:[a-c]{0,3})?$/).map(base64);
    const changed = fc
      .tuple(almost, fc.constantFrom("", "=", "A", "==", " ", "\n"))
      .map(([cursor, end]) => cursor + end);
    let decoded = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(changed, fc.string(), fc.base64String()), (garbage) => {
        const cursor = decodeCursor(garbage);
        if (cursor) {
          decoded++;
          expect(encodeCursor(cursor)).toBe(garbage);
        } else refused++;
      }),
      { numRuns: 4_000 },
    );
    expect(Math.min(decoded, refused)).toBeGreaterThan(20);
  });
});

describe("values", () => {
  it("what is JSON comes back equal, or is refused", () => {
    let kept = 0;
    fc.assert(
      fc.property(fc.json({ stringUnit: "binary" }), (json) => {
        const value: unknown = JSON.parse(json);
        const bytes = encodeJson(value, "value");
        if (!bytes.ok) return;
        kept++;
        expect(JSON.parse(jsonText(bytes.value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(kept).toBeGreaterThan(50);
  });

  it("any bytes have some JSON", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void JSON.parse(jsonText(bytes))));
  });

  it.each([
    ["a lone surrogate", '"\\ud800"', "BAD_TEXT"],
    ["one in a name", '{"\\ud800":1}', "BAD_TEXT"],
    ["infinity", "1e999", "MALFORMED"],
    ["a prototype", '{"__proto__":1}', "MALFORMED"],
    ["a deep nest", "[".repeat(100) + "]".repeat(100), "MALFORMED"],
    ["a very deep nest", "[".repeat(100_000) + "]".repeat(100_000), "MALFORMED"],
  ])("%s is refused", (_, json, code) => {
    const bytes = encodeJson(JSON.parse(json), "value");
    expect(bytes.ok ? null : bytes.error.code).toBe(code);
  });
});
