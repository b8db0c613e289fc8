import { globSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const LINES_MAX = 400;
const sources = globSync("src/**/*.ts");
const tests = globSync("test/**/*.ts");
/** Split, so that this file does not find itself. */
const forbidden = (...parts: string[]): RegExp => new RegExp(parts.join(""));

it("finds the files it is about", () => {
  expect(sources.length).toBeGreaterThan(10);
  expect(tests.length).toBeGreaterThan(10);
});

it.each(sources)("%s is tidy", (path) => {
  const text = readFileSync(path, "utf8");
  expect(text.split("\n").length).toBeLessThanOrEqual(LINES_MAX);
  expect(text).not.toMatch(/\b(as any|@ts-ignore|@ts-nocheck|@ts-expect-error)\b/);
});

it.each([...sources, ...tests])("%s speaks of the project alone", (path) => {
  const text = readFileSync(path, "utf8");
  expect(text).not.toMatch(forbidden("\\b(FIX", "ME|XX", "X|DO NOT ", "MERGE)\\b"));
  // A ticket number explains nothing to a reader without the tracker.
  expect(text).not.toMatch(forbidden("\\b(SPEC|TO", "DO|PHASE)-\\d+"));
  expect(text).not.toMatch(forbidden("/(wo", "rk|ro", "ot|fa", "rm)/"));
});

it.each(tests)("%s counts every test", (path) => {
  expect(readFileSync(path, "utf8")).not.toMatch(
    forbidden("\\b(it|test|describe)\\.(sk", "ip|to", "do|on", "ly|fa", "ils)\\b"),
  );
});

it("keeps the top level to what a newcomer must see", () => {
  const known = ["package.json", "package-lock.json", "tsconfig.json", "wrangler.toml"];
  const papers = ["README.md", "CHANGELOG.md", "LICENSE"];
  const folders = ["src", "test", "node_modules"];
  const top = readdirSync(".").filter((name) => !name.startsWith("."));
  expect(top.filter((name) => ![...known, ...papers, ...folders].includes(name))).toEqual([]);
});
