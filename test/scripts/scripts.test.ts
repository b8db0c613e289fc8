/**
 * Plays of the move, against the machines of production. `UPDATE=1` writes what happens below each `----`;
 * whatever that is, every write must be acknowledged and read back from the owner in the end, and nothing be
 * left anywhere else.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Play } from "./commands.ts";
import { endsWell } from "./ends-well.ts";
import { formatScript, parseScript } from "./script.ts";

const FOLDER = fileURLToPath(new URL("./", import.meta.url));
const PLAYS = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));

describe("plays of the move", () => {
  it.each(PLAYS)("%s", (name) => {
    const text = readFileSync(FOLDER + name, "utf8");
    const play = new Play();
    const acts = parseScript(text).map((act) => ({ ...act, printed: play.run(act.command) }));
    const happened = formatScript(acts);
    if (process.env["UPDATE"] === "1") writeFileSync(FOLDER + name, happened);
    else expect(happened).toBe(text);
    isAboutSomething(text, play.stage.delivered);
    endsWell(play);
  });

  it("are all of them there", () => {
    expect(PLAYS.length).toBeGreaterThanOrEqual(20);
  });
});

/** It names what it shows, proves the moment, and the messages that it is about were on stage. */
function isAboutSomething(text: string, delivered: ReadonlyMap<string, number>): void {
  const [head = ""] = text.split("\nform ");
  expect(head, "the invariant that it shows").toMatch(/\bI\d+\b/);
  expect(text, "the phase that it is about").toMatch(/^require \S+ \S/m);
  const types = /^# About: (.+)$/m.exec(head)?.[1]?.split(" ") ?? [];
  expect(types.length, "the messages that it is about").toBeGreaterThan(0);
  for (const type of types) expect(delivered.get(type) ?? 0, type).toBeGreaterThan(0);
}
