/** A client that calls actors, beside a node that says what the test says. */
import { afterEach, describe, expect, it } from "vitest";
import { connect, GridError, type CallOptions, type Grid } from "godwit/client";
import { makeError } from "../../src/protocol/errors.ts";
import { decodeJson, encodeJson } from "../../src/protocol/values.ts";
import type {
  ClientCall,
  ClientMessage,
  ServerMessage,
} from "../../src/protocol/client-messages.ts";
import { ScriptedNode } from "./scripted-node.ts";

const open: Grid[] = [];
afterEach(() => {
  for (const grid of open.splice(0)) grid.close();
});

async function begin(): Promise<{ readonly grid: Grid; readonly node: ScriptedNode }> {
  const node = new ScriptedNode();
  const grid = await connect("http://grid.test", { WebSocket: node.make, answerMs: 200 });
  open.push(grid);
  return { grid, node };
}

const bytesOf = (json: unknown): Uint8Array => {
  const bytes = encodeJson(json, "value");
  if (!bytes.ok) throw new Error(bytes.error.message);
  return bytes.value;
};

/** Answers each command with itself. */
const echo = (message: ClientMessage): ServerMessage | null =>
  message.type === "CALL"
    ? {
        type: "REPLIES",
        seq: message.seq,
        replies: message.calls.map(({ command }) => ({
          type: "reply",
          version: 3,
          value: command,
        })),
      }
    : null;

const callsTo = ({ heard }: ScriptedNode): readonly ClientCall[] =>
  heard.flatMap((message) => (message.type === "CALL" ? message.calls : []));

describe("a call", () => {
  it("takes the command as it is when it is called, in the order of the calls, from the very first on", async () => {
    const { grid, node } = await begin();
    node.answer = echo;
    const counter = grid.actor<{ n: number }, { n: number }>("counter", "a");
    const command = { n: 0 };
    const calling = Array.from({ length: 5 }, async () => {
      command.n++;
      return counter.call(command);
    });
    command.n = 99;
    const replies = await Promise.all(calling);
    expect(replies).toEqual([1, 2, 3, 4, 5].map((n) => ({ reply: { n }, version: 3 })));
    const calls = callsTo(node);
    expect(calls.map((call) => decodeJson(call.command, ""))).toEqual(
      [1, 2, 3, 4, 5].map((n) => ({ ok: true, value: { n } })),
    );
    expect(new Set(calls.map(({ commandId }) => commandId)).size).toBe(5);
    expect(calls.every(({ map, key }) => map === "counter" && key === "a")).toBe(true);
  });

  it("of several actors shares a frame, and one that has an id or a version says so", async () => {
    const { grid, node } = await begin();
    node.answer = echo;
    await Promise.all([
      grid.actor("counter", "a").call(1, { commandId: "mine", expectedVersion: 7 }),
      grid.actor("counter", "b").ask(null),
    ]);
    expect(node.heard.filter(({ type }) => type === "CALL")).toHaveLength(1);
    expect(callsTo(node)).toMatchObject([
      { commandId: "mine", expectedVersion: 7 },
      { commandId: null, expectedVersion: null, command: bytesOf(null) },
    ]);
  });

  it("goes out again under its id when the connection breaks, and when the node is silent", async () => {
    const { grid, node } = await begin();
    const calling = grid.actor("counter", "a").call(1);
    await expect.poll(() => callsTo(node).length).toBe(1);
    node.cut();
    node.isUp = true;
    await expect.poll(() => callsTo(node).length, { timeout: 5_000 }).toBe(2);
    await expect.poll(() => callsTo(node).length, { timeout: 5_000 }).toBeGreaterThan(2);
    node.answer = echo;
    expect(await calling).toEqual({ reply: 1, version: 3 });
    expect(new Set(callsTo(node).map(({ commandId }) => commandId)).size).toBe(1);
  });

  it("asks for the map where a node sends back what the map sends to it", async () => {
    const { grid, node } = await begin();
    let times = 0;
    node.answer = (message) => {
      if (message.type !== "CALL" || times++ > 0) return echo(message);
      const error = makeError("NOT_OWNER", { partitionId: 0, ownerNodeId: "n2" });
      return { type: "REPLIES", seq: message.seq, replies: [{ type: "refused", error }] };
    };
    expect(await grid.actor("counter", "a").call(1)).toEqual({ reply: 1, version: 3 });
    expect(node.last("FETCH_MAP")).toEqual({ type: "FETCH_MAP", version: 1, viewVersion: 1 });
  });

  it("that the actor refuses rejects with its words, and one that has waited for too long with what is known", async () => {
    const { grid, node } = await begin();
    const actor = grid.actor("account", "a");
    const data = { actorType: "account", actorId: "a", refusal: "no-funds", reason: "has 3" };
    node.answer = (message) =>
      message.type === "CALL"
        ? {
            type: "REPLIES",
            seq: message.seq,
            replies: [{ type: "refused", error: makeError("COMMAND_REFUSED", data) }],
          }
        : null;
    const refused = await actor.call(1).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(GridError);
    expect(refused).toMatchObject({ code: "COMMAND_REFUSED", retry: "never", data });
    node.answer = () => null;
    await expect(actor.call(1, { commandId: "id", timeoutMs: 100 })).rejects.toMatchObject({
      code: "OUTCOME_UNKNOWN",
      retry: "later",
      data: { actorType: "account", actorId: "a", commandId: "id", ms: 100 },
    });
    await expect(actor.ask(1, { timeoutMs: 100 })).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  it("rejects when all is closed, and after that", async () => {
    const { grid } = await begin();
    const actor = grid.actor("counter", "a");
    const calling = actor.call(1);
    const told = expect(calling).rejects.toMatchObject({ code: "CLOSED" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    grid.close();
    await told;
    await expect(actor.call(1)).rejects.toMatchObject({ code: "CLOSED" });
  });
});

it.each<readonly [string, string, CallOptions, string]>([
  ["a type", "", {}, "map"],
  ["an id of a command", "counter", { commandId: "" }, "commandId"],
  ["a version", "counter", { expectedVersion: -1 }, "expectedVersion"],
  ["a time", "counter", { timeoutMs: 0 }, "timeoutMs"],
])("%s that can be none is refused, and nothing is sent", async (_, type, options, field) => {
  const { grid, node } = await begin();
  await expect(grid.actor(type, "a").call(1, options)).rejects.toMatchObject({ data: { field } });
  expect(callsTo(node)).toEqual([]);
});
