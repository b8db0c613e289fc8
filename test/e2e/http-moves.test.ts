/** HTTP callers while partitions move beneath them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fill, Grid } from "./grid.ts";
import { ask, type Told } from "./raw.ts";
import { pause } from "./writer.ts";

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: 271, backups: 0 });
}, 60_000);
afterAll(() => grid.stop());

const WRITERS = 12;
const KEYS_PER_WRITER = 20;
/** Written before, and only read while partitions move. */
const still = Array.from({ length: 500 }, (_, i) => `s${i}`);

/** Callers that go on until they are told to stop, and everything they saw. */
class Callers {
  readonly acked = new Map<string, number>();
  readonly others: string[] = [];
  puts = 0;
  gets = 0;
  scans = 0;
  #stopped = false;

  async write(writer: number): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const key = `w${writer}-${n % KEYS_PER_WRITER}`;
      const path = `/v1/maps/moving/${key}`;
      const { status, body } = await grid.api.json("PUT", path, n);
      if (status === 200) {
        this.acked.set(key, n);
        this.puts++;
      } else this.others.push(`PUT ${status} ${JSON.stringify(body)}`);
    }
  }

  async read(): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const got = await grid.api.json("GET", `/v1/maps/still/${still[n % still.length]}`);
      if (got.status === 200 && got.body === "here") this.gets++;
      else this.others.push(`GET ${got.status} ${JSON.stringify(got.body)}`);
    }
  }

  async scan(): Promise<void> {
    for (; !this.#stopped; await pause(100)) {
      const entries = await grid.api.entries("still");
      if (entries.size === still.length) this.scans++;
      else this.others.push(`a scan of ${entries.size}`);
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}

describe("while a node joins and leaves", () => {
  it("every PUT and GET is answered 200, and what was acknowledged is read back", async () => {
    await fill(grid.api, "still", { keys: still, value: "here" });
    const callers = new Callers();
    const writers = Array.from({ length: WRITERS }, (_, i) => callers.write(i));
    const running = [...writers, callers.read(), callers.scan()];
    try {
      await pause(100);
      const before = callers.puts;
      expect((await grid.api.json("POST", "/v1/cluster/nodes", { count: 1 })).status).toBe(202);
      const four = await grid.api.settled([...grid.nodes, "n4"]);
      const joined = callers.puts;
      expect(joined - before, "PUTs while it joined").toBeGreaterThan(200);
      expect(four.migrations).toMatchObject({ completed: 67, failed: 0 });
      expect(four.members.find(({ nodeId }) => nodeId === "n4")?.partitions.owned).toBe(67);

      expect((await grid.api.json("DELETE", "/v1/cluster/nodes/n4")).status).toBe(202);
      const three = await grid.api.settled(grid.nodes);
      expect(callers.puts - joined, "PUTs while it left").toBeGreaterThan(200);
      expect(three.migrations).toMatchObject({ completed: 134, failed: 0 });
    } finally {
      callers.stop();
      await Promise.all(running);
    }
    expect(callers.others).toEqual([]);
    expect(callers.gets).toBeGreaterThan(50);
    expect(callers.scans).toBeGreaterThan(3);
    expect(callers.acked.size).toBe(WRITERS * KEYS_PER_WRITER);
    expect(await grid.readElsewhere("moving")).toEqual(callers.acked);
  });
});

describe("a caller that insists on a map version", () => {
  const put = (version: number): Promise<Told> => {
    const headers = { "x-godwit-map-version": String(version) };
    return ask(grid.api.base, { method: "PUT", path: "/v1/maps/m/k", headers, body: "1" });
  };
  const versionNow = async (): Promise<number> =>
    (await grid.api.json<{ version: number }>("GET", "/v1/map")).body.version;

  it("gets 421 with the map that stands, after a move too, and 200 with that one", async () => {
    const version = await versionNow();
    expect((await put(version)).status).toBe(200);
    const to = (await grid.ownerOf(7)) === "n1" ? "n2" : "n1";
    expect(
      await grid.api.json("POST", "/v1/cluster/migrations", { partition: 7, to }),
    ).toMatchObject({ status: 202 });
    await grid.api.settled(grid.nodes);
    const after = await versionNow();
    expect(after).toBeGreaterThan(version);
    const wrong = await put(version);
    expect(wrong.status).toBe(421);
    expect(JSON.parse(wrong.text)).toMatchObject({
      error: { code: "NOT_OWNER", retry: "there", map: { version: after } },
    });
    expect((await put(after)).status).toBe(200);
  });
});
