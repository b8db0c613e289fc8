/** Where a partition is while it moves, in the words of the seeds, looked at after each message. */
import { describe, expect, it } from "vitest";
import { partitionMeta, partitionStateAt } from "../../src/core/coordinator/partition-state.ts";
import {
  activeMigrations,
  isImporting,
  isKeyMigrated,
  isMigrating,
} from "../../src/core/node/migrations.ts";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import { Play } from "../scripts/commands.ts";
import { endsWell } from "../scripts/ends-well.ts";

const P = PartitionId(0);
const [SOURCE, TARGET] = [NodeId("n1"), NodeId("n2")];
const idOf = (key: string) => ({ map: "m", key, kind: "lww", sub: "" }) as const;

function playOf(...commands: readonly string[]): Play {
  const play = new Play();
  for (const command of commands) play.run(command);
  return play;
}

/** Message by message; what `look` saw, each thing once in a row. */
function watch<T>({ stage }: Play, look: () => T): T[] {
  const seen = [look()];
  for (let next = stage.letters.shift(); next; next = stage.letters.shift()) {
    stage.deliver(next);
    const now = look();
    if (JSON.stringify(now) !== JSON.stringify(seen.at(-1))) seen.push(now);
  }
  return seen;
}

function stateOf({ stage }: Play, nodeId: NodeId): string {
  const { entries, view } = stage.coordinator.disk;
  const entry = entries.get(P);
  return entry ? partitionStateAt(entry, nodeId, view) : "";
}

describe("the state of a partition", () => {
  it("at the source goes from active over migrating and draining to unassigned", () => {
    const play = playOf("form nodes=2", "put n1 a=1", "move 0 to n2");
    const seen = watch(play, () => stateOf(play, SOURCE));
    expect(["active", ...seen]).toEqual(["active", "migrating", "draining", "unassigned"]);
    endsWell(play);
  });

  it("at the target goes from unassigned over receiving to active", () => {
    const play = playOf("form nodes=2", "put n1 a=1");
    const before = stateOf(play, TARGET);
    play.run("move 0 to n2");
    const seen = watch(play, () => stateOf(play, TARGET));
    expect([before, ...seen]).toEqual(["unassigned", "receiving", "active"]);
  });

  it("goes back to active and unassigned when the move is given up", () => {
    const play = playOf("form nodes=2", "put n1 a=1", "move 0 to n2", "stabilize until COMPLETE");
    expect([stateOf(play, SOURCE), stateOf(play, TARGET)]).toEqual(["migrating", "receiving"]);
    play.run("cancel 0");
    expect([stateOf(play, SOURCE), stateOf(play, TARGET)]).toEqual(["active", "draining"]);
    endsWell(play);
    expect([stateOf(play, SOURCE), stateOf(play, TARGET)]).toEqual(["active", "unassigned"]);
  });

  it("is lost where its owner is gone and nobody has a complete copy, and only there", () => {
    const play = playOf("form nodes=2", "put n1 a=1", "move 0 to n2", "stabilize until COMPLETE");
    const { entries, view } = play.stage.coordinator.disk;
    const entry = entries.get(P);
    expect(entry).toBeDefined();
    if (!entry) return;
    const members = view.members.filter(({ nodeId }) => nodeId !== SOURCE);
    const without = { ...view, members };
    expect(entry.ruling.copies).toEqual([{ nodeId: TARGET, state: "copying" }]);
    expect(partitionStateAt(entry, SOURCE, without)).toBe("lost");
    const copies = [{ nodeId: TARGET, state: "complete" }] as const;
    const complete = { ...entry, ruling: { ...entry.ruling, copies } };
    expect(partitionStateAt(complete, SOURCE, without)).not.toBe("lost");
    expect(partitionMeta(complete, view)).toEqual({
      partitionId: P,
      epoch: entry.ruling.epoch,
      ownerNodeId: SOURCE,
      backupNodeIds: [TARGET],
      states: new Map([
        [SOURCE, "migrating"],
        [TARGET, "receiving"],
      ]),
    });
  });
});

describe("the newly gained partitions of a node", () => {
  it("computing the new table marks them importing at once, MIGRATE_START takes the place of noticing a flag", () => {
    const play = playOf("form nodes=2", "put n1 a=1", "stabilize");
    play.stage.letters = [];
    play.stage.delivered.clear();
    play.run("move 0 to n2");
    // In the same commit, with nobody told: `importing` is what a node has begun to take of it.
    expect([stateOf(play, SOURCE), stateOf(play, TARGET)]).toEqual(["migrating", "receiving"]);
    expect([...play.stage.delivered.keys()]).toEqual(["MOVE_PARTITION"]);
    const { letters } = play.stage;
    expect(letters.map(({ to, message }) => [to, message.type])).toEqual([
      [SOURCE, "MIGRATE_START"],
    ]);
    expect(letters[0]?.message).toMatchObject({ partitionId: P, destinationNodeId: TARGET });
    // Nobody waits to see the target's flag: rows are on their way to it before it says anything.
    play.run("stabilize until MIGRATE_DATA");
    expect(isImporting(play.stage.node(TARGET).disk, P)).toBe(false);
    play.run("deliver MIGRATE_DATA #0");
    expect(isImporting(play.stage.node(TARGET).disk, P)).toBe(true);
    const beats = play.stage.letters.filter(({ from }) => from === TARGET);
    const said = { type: "HEARTBEAT", importing: [P] };
    expect(beats.map(({ message }) => message)).toContainEqual(expect.objectContaining(said));
    endsWell(play);
  });
});

describe("the sets of a node", () => {
  it("importing: at the target from its first row until it is complete, nowhere else", () => {
    const play = playOf("form nodes=2", "put n1 a=1", "move 0 to n2");
    const sets = () => [...play.stage.nodes.values()].map(({ disk }) => isImporting(disk, P));
    expect(watch(play, sets)).toEqual([
      [false, false],
      [false, true],
      [false, false],
    ]);
  });

  it("migrating: at the source until it has heard the switch, with the phase of the move", () => {
    const play = playOf("form nodes=2", "put n1 a=1", "move 0 to n2");
    const { disk } = play.stage.node(TARGET);
    const phases = watch(play, () => {
      const source = play.stage.node(SOURCE).disk;
      expect(isMigrating(source, P)).toBe(activeMigrations(source).length === 1);
      expect(isMigrating(disk, P)).toBe(false);
      return activeMigrations(source).map(({ phase }) => phase);
    });
    expect(phases).toEqual([[], ["replicating"], ["ready"], []]);
  });
});

describe("a key is migrated", () => {
  it("when the scan has passed it and the target has acknowledged that, not before", () => {
    const keys = ["a", "b", "c", "d"];
    const puts = keys.map((key) => `put n1 ${key}=1`);
    const play = playOf("form nodes=2 chunk=1", ...puts, "move 0 to n2");
    const migrated = () => {
      const source = play.stage.node(SOURCE).load();
      return keys.filter((key) => isKeyMigrated(source, P, idOf(key))).join("");
    };
    const seen = watch(play, migrated);
    // Once the owner has changed there is no move at the source, and no question.
    expect(seen).toEqual(["", "a", "ab", "abc", "abcd", ""]);
  });

  it("not while a later change of it is on its way", () => {
    const play = playOf("form nodes=2 chunk=1", "put n1 a=1", "put n1 b=1", "put n1 c=1");
    play.run("move 0 to n2");
    const isAt = (key: string) => isKeyMigrated(play.stage.node(SOURCE).load(), P, idOf(key));
    for (let step = 0; !isAt("a"); step++) {
      expect(step).toBeLessThan(50);
      const next = play.stage.letters.shift();
      if (next) play.stage.deliver(next);
    }
    play.run("put n1 a=2");
    expect(isAt("a")).toBe(false);
    expect(watch(play, () => isAt("a"))).toContain(true);
    endsWell(play);
  });

  it("not where nothing moves", () => {
    const play = playOf("form nodes=2", "put n1 a=1");
    expect(isKeyMigrated(play.stage.node(SOURCE).load(), P, idOf("a"))).toBe(false);
  });
});
