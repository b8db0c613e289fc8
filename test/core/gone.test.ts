/** Nodes that never come back: what was planned for them goes elsewhere, and nobody is woken to ask for them. */
import { describe, expect, it } from "vitest";
import { partitionOf } from "../../src/data/hash.ts";
import type { NodeId } from "../../src/data/ids.ts";
import type { Identity } from "../../src/data/row.ts";
import type { Stage } from "../scripts/stage.ts";
import {
  A,
  B,
  C,
  D,
  E,
  ADD_ONE,
  cluster,
  entryOf,
  isAcked,
  ownerOf,
  put,
  restore,
  silence,
  stateOf,
  wakesPerHour,
  work,
} from "./trio.ts";

const leave = (nodeId: NodeId, force: boolean) =>
  ({ type: "LEAVE_REQUEST", nodeId, force }) as const;

const rowOf = (key: string): Identity => ({ map: "m", key, kind: "lww", sub: "" });

const entriesOf = (stage: Stage) => [...stage.coordinator.disk.entries.values()];

describe("a partition", () => {
  it("that is given away when its owner is evicted has a backup again, whatever was planned before [I8]", () => {
    const stage = cluster({ backupCount: 1, initialNodes: 5 });
    silence(stage, [A, B]);
    work(stage, 15_000, [C, D, E]);
    const lost = entryOf(stage)?.lost ?? A;
    expect(entryOf(stage)).toMatchObject({ ruling: { owner: null }, wantedBackups: [C] });
    stage.ask(leave(C, false));
    work(stage, 2_000, [C, D, E]);
    stage.ask(leave(lost, true));
    work(stage, 60_000, [D, E]);
    stage.ask(leave(lost === A ? B : A, true));
    work(stage, 10_000, [D, E]);
    const write = put(stage, ownerOf(stage) ?? A, "k", 1, "backup");
    work(stage, 2_000, [D, E]);
    expect(isAcked(stage, write)).toBe(true);
  });

  it("of an evicted node goes to whoever has less than its share [I8]", () => {
    const stage = cluster({ partitionCount: 30 });
    silence(stage, [A]);
    work(stage, 10_000, [B, C]);
    stage.ask(leave(A, true));
    work(stage, 60_000, [B, C]);
    for (const id of [B, C])
      expect(entriesOf(stage).filter(({ ruling }) => ruling.owner === id)).toHaveLength(15);
  });

  it("has its backup at a node that is there, not at one that was lost while it joined [I8]", () => {
    const stage = cluster({ backupCount: 1, partitionCount: 12 });
    work(stage, 500);
    stage.cut = (_, to, { type }) => to === D && type === "JOIN_RESPONSE";
    stage.ask(ADD_ONE);
    work(stage, 500);
    const joining = stage.coordinator.disk.view.members.find(({ nodeId }) => nodeId === D);
    expect(joining).toMatchObject({ state: "joining", host: "object-n4" });
    silence(stage, [B, D]);
    work(stage, 60_000, [A, C]);
    for (const { ruling } of entriesOf(stage)) expect(ruling.copies).toHaveLength(1);
  });
});

describe("nodes that are all sent away, while who was to stay is destroyed,", () => {
  it.each([0, 1])(
    "serve on until somebody comes who takes what they have, backups: %i [I8, I11, sim seed 160489]",
    (backupCount) => {
      const stage = cluster({ backupCount, partitionCount: 6 });
      const partitionId = partitionOf("k", 6);
      const served = () => stage.coordinator.disk.entries.get(partitionId)?.ruling.owner;
      const members = () => stage.coordinator.disk.view.members.map(({ nodeId }) => nodeId);
      silence(stage, [A]);
      stage.ask(leave(B, false));
      stage.ask(leave(C, false));
      work(stage, 10_000, [B, C]);
      expect(stateOf(stage, A)).toBe("dead");
      stage.ask(leave(A, true));
      work(stage, 10_000, [B, C]);
      expect(members()).not.toContain(A);
      for (const { ruling } of entriesOf(stage)) expect([B, C]).toContain(ruling.owner);
      const write = put(stage, served() ?? A, "k", 3);
      work(stage, 2_000, [B, C]);
      expect(isAcked(stage, write)).toBe(true);
      stage.ask(ADD_ONE);
      work(stage, 20_000, [B, C, D]);
      expect(members()).toEqual([D]);
      for (const { ruling, holders } of entriesOf(stage)) {
        expect(ruling).toMatchObject({ owner: D, copies: [] });
        expect(holders).toEqual([D]);
      }
      const [found] = stage.node(D).rows.read(partitionId, [rowOf("k")]);
      expect(found?.row.value).toEqual(Uint8Array.of(3));
    },
  );
});

describe("a node id", () => {
  it("that was used since the coordinator's copy was made is not used again: the next one is", () => {
    const stage = cluster();
    const copy = stage.coordinator.disk;
    stage.ask(ADD_ONE);
    work(stage, 5_000);
    stage.ask(leave(D, false));
    work(stage, 10_000);
    expect(stateOf(stage, D)).toBe(undefined);
    restore(stage, copy);
    stage.ask(ADD_ONE);
    work(stage, 20_000);
    expect(stateOf(stage, D)).toBe(undefined);
    expect(stateOf(stage, E)).toBe("active");
  });
});

describe("a cluster at rest is hardly ever woken [I8]", () => {
  it("by a node that left and was destroyed before it heard so", () => {
    const stage = cluster();
    stage.ask(ADD_ONE);
    work(stage, 5_000);
    stage.ask(leave(D, false));
    stage.cut = (_, to, { type }) => to === D && type === "MEMBERS_UPDATE";
    work(stage, 5_000);
    expect(stage.coordinator.disk.cluster?.departed).toEqual([D]);
    silence(stage, [D]);
    expect(wakesPerHour(stage)).toBeLessThan(300);
  });

  it("by one that was invited and never answers", () => {
    const stage = cluster();
    silence(stage, [D]);
    stage.ask(ADD_ONE);
    expect(wakesPerHour(stage)).toBeLessThan(300);
    expect(stateOf(stage, D)).toBe("joining");
  });
});
