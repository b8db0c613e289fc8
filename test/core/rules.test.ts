/** One test per rule that a simulation taught; the seeds are in test/sim/seeds.txt. */
import { describe, expect, it } from "vitest";
import { coordinatorWakeAt } from "../../src/core/coordinator/pursue.ts";
import { DEFAULTS } from "../../src/core/config.ts";
import { stepNode } from "../../src/core/node/node.ts";
import { initialNode, type NodeState, type Role } from "../../src/core/node/state.ts";
import type { NodeEvent } from "../../src/core/node/events.ts";
import { NO_FLOW } from "../../src/core/node/flow.ts";
import {
  ClusterId,
  Epoch,
  Incarnation,
  NodeId,
  PartitionId,
  Seq,
  Term,
  Version,
} from "../../src/data/ids.ts";
import {
  addChunk,
  addDeltas,
  addMarker,
  compareAgain,
  openStream,
  reached,
  renewStream,
  takeAck,
  wants,
} from "../../src/core/partition/stream.ts";
import type { Row } from "../../src/data/row.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import { initialCoordinator } from "../../src/core/coordinator/state.ts";
import { Stage, type Letter } from "../scripts/stage.ts";
import { pair } from "./pair.ts";

const CLUSTER = ClusterId("rules");
const [A, B, C] = [NodeId("a"), NodeId("b"), NodeId("c")];
const P = PartitionId(0);

const say = (from: Sender, message: ClusterMessage): Extract<NodeEvent, { type: "message" }> => ({
  type: "message",
  clusterId: CLUSTER,
  from,
  term: Term(1),
  message,
  call: 1,
  now: 1_000,
  random: 0.5,
});

function nodeWith(
  role: Role,
  owner: NodeId,
  membership: "member" | "joining" = "member",
): NodeState {
  const state = initialNode({ ...DEFAULTS, partitionCount: 1 });
  const ruling = { partitionId: P, epoch: Epoch(5), owner, since: Epoch(5), copies: [] };
  const self = {
    ...state.saved.self,
    clusterId: CLUSTER,
    nodeId: A,
    membership,
    partitionCount: 1,
  };
  const partitions = new Map([[P, { ruling, role }]]);
  return { ...state, saved: { ...state.saved, self, partitions } };
}

const roleOf = (state: NodeState): Role | undefined => state.saved.partitions.get(P)?.role;
const ruling = (epoch: number, owner: NodeId, since = epoch) => ({
  partitionId: P,
  epoch: Epoch(epoch),
  owner,
  since: Epoch(since),
  copies: [],
});

describe("rules that a simulation taught", () => {
  it("who was invited is not turned away by an older coordinator [I1, sim seed 100077]", () => {
    const refusal = { type: "JOIN_RESPONSE", accepted: false } as const;
    const named = { clusterId: CLUSTER, nodeId: A, region: "", weight: 1 };
    const invite = { type: "INVITE", ...named } as const;
    const [invited] = stepNode(initialNode(DEFAULTS), {
      ...say("coordinator", invite),
      term: Term(7),
    });
    expect(invited.saved.self).toMatchObject({ membership: "joining", term: 7 });
    const outdated = { ...say("coordinator", refusal), term: Term(6), call: null };
    const [after] = stepNode(invited, outdated);
    expect(after.saved.self.membership).toBe("joining");
    const [refused] = stepNode(invited, { ...outdated, term: Term(7) });
    expect(refused.saved.self.membership).toBe("removed");
  });

  it("a joining node does not confirm a view without the table that comes with it [I10, seed 1]", () => {
    const joining = nodeWith({ type: "none" }, B, "joining");
    const member = { nodeId: A, host: "", clientPort: 0, clusterPort: 0, region: "", weight: 1 };
    const listed = {
      ...member,
      state: "joining",
      joinVersion: Version(2),
      incarnation: 1,
    } as never;
    const view = { version: Version(3), members: [listed] };
    const [state, effects] = stepNode(
      joining,
      say("coordinator", { type: "MEMBERS_UPDATE", view, clusterTimeMs: 0 }),
    );
    expect(state.saved.view.version).toBe(0);
    expect(effects.map((effect) => "message" in effect && effect.message.type)).toEqual(["ERROR"]);
  });

  it("an answer to an earlier join, which comes late, makes nobody a member [I4, seed 1000001]", () => {
    const facts = { host: "", clientPort: 0, clusterPort: 0, region: "", weight: 1 };
    const joined = { nodeId: A, ...facts, state: "active", joinVersion: Version(2) } as const;
    const invited = nodeWith({ type: "none" }, B, "joining");
    const incarnation = Incarnation(3);
    const self = { ...invited.saved.self, incarnation, tableVersion: Version(37) };
    const again = { ...invited, saved: { ...invited.saved, self } };
    const answerTo = (join: number, version: number): ClusterMessage => ({
      type: "JOIN_RESPONSE",
      accepted: true,
      membersView: {
        version: Version(version),
        members: [{ ...joined, incarnation: Incarnation(join) }],
      },
      partitionAssignments: [],
      tableVersion: Version(version),
      partitionCount: 1,
      digestKey: { a: 0, b: 0 },
    });
    const [late] = stepNode(again, say("coordinator", answerTo(2, 26)));
    expect(late.saved.self).toMatchObject({ membership: "joining", tableVersion: 37 });
    const [now] = stepNode(late, say("coordinator", answerTo(3, 40)));
    expect(now.saved.self).toMatchObject({ membership: "member", tableVersion: 40 });
  });

  it("who waits to join asks again when the coordinator asks it for anything, but not when it has just asked [I8, sim seed 1146495]", () => {
    const joining = nodeWith({ type: "none" }, B, "joining");
    const joinRetry = { at: 9_000, attempt: 5 };
    const waiting = { ...joining, memory: { ...joining.memory, joinRetry } };
    const asked = (state: NodeState, from: Sender): readonly [NodeState, number] => {
      const [next, effects] = stepNode(state, say(from, { type: "PROBE" }));
      const requests = effects.filter(
        (effect) => effect.type === "send" && effect.message.type === "JOIN_REQUEST",
      );
      return [next, requests.length];
    };
    expect(asked(waiting, B)[1]).toBe(0);
    const [once, first] = asked(waiting, "coordinator");
    expect(first).toBe(1);
    expect(once.memory.joinRetry?.at).toBeLessThan(joinRetry.at);
    expect(asked(once, "coordinator")[1]).toBe(0);
  });

  it("a copy that a ruling leaves out is struck, whatever it knows of its rows [I7, seed 2]", () => {
    const copy = { type: "copy", state: "complete", at: B, cut: Seq(9), foreign: true } as const;
    const [state] = stepNode(
      nodeWith(copy, B),
      say("coordinator", { type: "STRIKE", ruling: ruling(6, B, 5) }),
    );
    expect(roleOf(state)).toEqual({ type: "struck", at: B, cut: 9, foreign: true });
  });

  it("a struck node whose rows all came from the owner drops them at once and says so [I7]", () => {
    const copy = { type: "copy", state: "copying", at: B, cut: Seq(0), foreign: false } as const;
    const [state, effects] = stepNode(
      nodeWith(copy, B),
      say("coordinator", { type: "STRIKE", ruling: ruling(6, B, 5) }),
    );
    expect(roleOf(state)).toEqual({ type: "none" });
    expect(effects.map(({ type }) => type)).toEqual(["drop-rows", "send", "answer"]);
  });

  it("a struck node offers what it may hold alone before it drops anything [I6]", () => {
    const copy = { type: "copy", state: "complete", at: B, cut: Seq(9), foreign: true } as const;
    const [, effects] = stepNode(
      nodeWith(copy, B),
      say("coordinator", { type: "STRIKE", ruling: ruling(6, C) }),
    );
    expect(effects.map(({ type }) => type)).toEqual(["scan", "answer"]);
    // Another owner than the one whose rows these were: nothing is known to be there.
    expect(effects[0]).toMatchObject({ known: { cut: 0 } });
  });

  it("a ruling at or below the highest epoch heard says nothing [I2, I4]", () => {
    const before = nodeWith({ type: "none" }, B);
    for (const epoch of [4, 5]) {
      const [state] = stepNode(
        before,
        say("coordinator", { type: "STRIKE", ruling: ruling(epoch, A) }),
      );
      expect(roleOf(state)).toEqual({ type: "none" });
    }
    const [state] = stepNode(before, say("coordinator", { type: "STRIKE", ruling: ruling(6, A) }));
    expect(roleOf(state)?.type).toBe("owner");
  });

  it("what an older coordinator says is refused [I1, I4]", () => {
    const before = nodeWith({ type: "none" }, B);
    const self = { ...before.saved.self, term: Term(2) };
    const [state, effects] = stepNode(
      { ...before, saved: { ...before.saved, self } },
      say("coordinator", { type: "STRIKE", ruling: ruling(6, A) }),
    );
    expect(roleOf(state)).toEqual({ type: "none" });
    expect(effects).toMatchObject([{ type: "answer", message: { error: { code: "STALE_TERM" } } }]);
  });

  it("a move that is due and waits for a free place wakes nobody [I8, seed 358]", () => {
    const config = { ...DEFAULTS, partitionCount: 1 };
    const state = initialCoordinator(config);
    const again = { attempt: 1, notBefore: 900 };
    const wanted = { wanted: C, wantedBackups: [], lost: null };
    const entry = { version: Version(1), holders: [B], ...wanted, move: null, again };
    const entries = new Map([[P, { ...entry, ruling: ruling(5, B) }]]);
    const due = {
      ...state,
      saved: { ...state.saved, entries },
      memory: { ...state.memory, now: 1_000 },
    };
    expect(coordinatorWakeAt(due)).toBeNull();
    expect(coordinatorWakeAt({ ...due, memory: { ...due.memory, now: 100 } })).toBe(900);
  });

  it("of two nodes that are invited together the first is given what stays with it [least moves]", () => {
    const stage = new Stage({ initialNodes: 3, partitionCount: 31 });
    stage.ask({ type: "FETCH_PARTITION_TABLE" });
    stage.settle();
    stage.ask({ type: "ADD_NODES", count: 2, region: "", weight: 1 });
    // The second hears nothing until the first has got all that it is to have.
    const next = (): Letter | undefined => stage.letters.find(({ to }) => to !== "n5");
    for (let letter = next(); letter; letter = next()) {
      stage.letters = stage.letters.filter((other) => other !== letter);
      stage.deliver(letter);
    }
    expect(stage.coordinator.disk.cluster?.completed).toBe(6);
    stage.settle();
    const { cluster, entries } = stage.coordinator.disk;
    expect(cluster?.completed).toBe(12);
    const loads = Map.groupBy(entries.values(), (entry) => entry.ruling.owner ?? "nobody");
    const sizes = [...loads.values()].map((owned) => owned.length);
    expect(sizes.toSorted((a, b) => a - b)).toEqual([6, 6, 6, 6, 7]);
  });

  it("a copy that is building its digest is asked on, whichever marker it is at [I8]", () => {
    const digest = new Uint8Array(2_048);
    const known = { cut: Seq(9), after: "end" } as const;
    const first = addMarker(openStream(B, Seq(10), known), digest);
    const second = addMarker(compareAgain(first), digest);
    const at = { next: 0, markerN: 0, buckets: null };
    expect(takeAck(second, at, DEFAULTS)[1]).toBe("building");
    // An answer to the first marker is none to the second.
    expect(takeAck(second, { ...at, buckets: digest }, DEFAULTS)[1]).toBeNull();
    expect(takeAck(second, { next: 2, markerN: 1, buckets: digest }, DEFAULTS)[1]).toBe("equal");
  });

  it("a marker goes out when nothing waits behind it [R-digest]", () => {
    const config = { ...DEFAULTS, deltaWindow: 1 };
    const stamp = { millis: 1, counter: 0, node: "client" };
    const row = { map: "m", kind: "lww", sub: "", stamp, value: null, expiresAt: null } as const;
    const known = { cut: Seq(9), after: "end" } as const;
    const sent = addDeltas(openStream(B, Seq(10), known), [{ ...row, key: "a" }], Seq(11), config);
    const waiting = addDeltas(sent, [{ ...row, key: "b" }], Seq(12), config);
    expect(wants(sent, config)).toBe("digest");
    expect(wants(waiting, config)).toBeNull();
    const ack = { next: 1, markerN: undefined, buckets: undefined };
    expect(wants(takeAck(waiting, ack, config)[0], config)).toBe("digest");
  });

  it("a copy that forgets its stream while it is scanned for gets again what no scan would find [I6, sim seed 181139]", () => {
    const stamp = { millis: 1, counter: 0, node: "client" };
    const at = { map: "m", key: "k", kind: "lww", sub: "" } as const;
    // It changed nothing here, where a newer one stands, and its writer wants it to be at the copy.
    const older: Row = { ...at, stamp, value: null, expiresAt: null };
    const opened = openStream(B, Seq(10), { cut: Seq(4), after: "end" });
    const sent = addDeltas(opened, [older], Seq(11), DEFAULTS);
    const renewed = renewStream(sent, Seq(12), true, DEFAULTS);
    expect(wants(renewed, DEFAULTS)).toBe("scan");
    expect(renewed).toMatchObject({ cut: Seq(10), known: { cut: Seq(4), after: "end" } });
    expect(renewed.unacked).toMatchObject([{ n: 0, kind: "delta", rows: [older] }]);
    expect(reached(addChunk(renewed, [], null), Seq(11))).toBe(false);
    const ack = { next: 1, markerN: undefined, buckets: undefined };
    const [taken] = takeAck(renewed, ack, DEFAULTS);
    expect(reached(taken, Seq(11))).toBe(true);
    expect(reached(taken, Seq(10)), "the scan goes on").toBe(false);
  });

  const at = { map: "m", key: "k", kind: "lww", sub: "" } as const;
  const entry = { map: "m", key: "k", expiresAt: null } as const;

  it("a write stamped again beside another one waits for its own place in the stream [I5]", () => {
    const stage = pair();
    const [n1, n2] = [NodeId("n1"), NodeId("n2")];
    const write = (key: string, value: number) =>
      ({ type: "write", ...entry, key, stamp: null, value: Uint8Array.of(value) }) as const;
    const forward = { type: "OP_FORWARD", sourceNodeId: "front", forwardId: Seq(1) } as const;
    const written = stage.now;
    stage.ask({ ...forward, rulings: [], ops: [write("k", 1)] }, n1);
    stage.settle();
    stage.node(n1).crash();
    stage.now = written - 500;
    stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: n2 });
    for (let letter = stage.letters.shift(); letter; letter = stage.letters.shift())
      if (letter.message.type !== "MIGRATE_READY") stage.deliver(letter);
    expect(roleOf(stage.node(n1).load())).toMatchObject({ move: { phase: "ready" } });
    stage.lines.splice(0);
    stage.ask({ ...forward, rulings: [], ops: [write("fresh", 2), write("k", 2)] }, n1);
    const next = (): void => stage.deliver(stage.letters.shift() as Letter);
    next();
    const [first, second] = stage.letters.splice(0);
    expect([first, second].map((letter) => letter?.message.type)).toEqual(
      Array.from({ length: 2 }, () => "MIGRATE_DATA"),
    );
    stage.letters.push(first as Letter);
    next();
    next();
    const answered = (): boolean => stage.lines.some((line) => line.includes("OP_FORWARDED"));
    expect(answered(), "before the copy has the second").toBe(false);
    stage.letters.unshift(second as Letter);
    stage.settle();
    expect(answered()).toBe(true);
    expect(stage.node(n2).rows.read(P, [at])[0]?.row.value).toEqual(Uint8Array.of(2));
  });

  it("frames that came together are told of owners each, and of the map once [bounds]", () => {
    const stage = pair();
    const keys = Array.from({ length: 40 }, (_, i) => ({ map: "m", key: `k${i}` }));
    const session = {
      clientId: "old",
      forward: false,
      mapVersion: Version(0),
      viewVersion: Version(0),
    };
    const frames = [1, 2, 3].map((seq) => ({
      socket: "old",
      session,
      flow: NO_FLOW,
      message: { type: "GET", seq, keys } as const,
    }));
    const { state } = stage.node(NodeId("n2"));
    if (!state) throw new Error("n2 has crashed");
    const moment = { now: stage.now, random: 0.5 };
    // It owns nothing: all are answered at once.
    const [, said] = stepNode(state, { type: "frames", frames, ...moment });
    const notices = said.flatMap((effect) =>
      effect.type === "push" && effect.message.type === "NOT_OWNER" ? [effect.message] : [],
    );
    expect(notices).toHaveLength(3);
    expect(notices.filter(({ map }) => map !== undefined)).toHaveLength(1);
  });

  it("an answer takes so many bytes of values, and refuses the rest one by one [bounds]", () => {
    const stage = pair();
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    for (const [i, key] of keys.entries()) {
      const stamp = { millis: stage.now, counter: i, node: "client" };
      const op = { ...entry, key, stamp, value: new Uint8Array(256 * 1_024) };
      stage.client(NodeId("n1"), { type: "OPS", seq: i, ops: [op] });
    }
    stage.client(NodeId("n1"), {
      type: "GET",
      seq: 99,
      keys: keys.map((key) => ({ map: "m", key })),
    });
    const answer = stage.answers.at(-1);
    const values = answer?.type === "VALUES" ? answer.values : [];
    expect(values.map(({ type }) => type).slice(14, 18)).toEqual([
      "value",
      "value",
      "refused",
      "refused",
    ]);
    expect(values[16]).toMatchObject({ error: { code: "OVERLOADED", retry: "later" } });
    expect(values).toHaveLength(20);
  });
});
