/**
 * Of each mutant that a test kills: that test as a suite of the mutant's name, over a graph of modules of its own,
 * whose addresses end with that name. All share one process, since starting one costs more than most tests.
 */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, inject } from "vitest";
import { patched } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Of mutants. */
    readonly names: readonly string[];
  }
}

const ROOT = new URL("../../", import.meta.url).href;
const LIBRARIES = new URL("node_modules/", ROOT).href;
const QUERY = "?mutant=";
const unchanged = new Map<string, string>();

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const name = mutantIn(context.parentURL ?? "");
    const { url } = resolved;
    if (name === null || !url.startsWith(ROOT) || url.startsWith(LIBRARIES)) return resolved;
    return { ...resolved, url: inGraphOf(name, url), shortCircuit: true };
  },
  load(url, context, nextLoad) {
    const name = mutantIn(url);
    if (name === null) return nextLoad(url, context);
    return { format: "module", source: sourceOf(fileURLToPath(url), name), shortCircuit: true };
  },
});

function mutantIn(url: string): string | null {
  const [, name] = url.split(QUERY);
  return name === undefined ? null : decodeURIComponent(name);
}

function inGraphOf(name: string, url: string): string {
  return url + QUERY + encodeURIComponent(name);
}

function sourceOf(path: string, name: string): string {
  const mutant = MUTANTS.find((m) => m.name === name && path.endsWith(m.file));
  if (mutant) return stripTypeScriptTypes(patched(readFileSync(path, "utf8"), mutant));
  const source = unchanged.get(path) ?? stripTypeScriptTypes(readFileSync(path, "utf8"));
  unchanged.set(path, source);
  return source;
}

const names = inject("names");
for (const { name, killedBy } of MUTANTS) {
  if (!("title" in killedBy) || !names.includes(name)) continue;
  describe(name, async () => {
    beforeEach(({ task, skip }) => {
      if (task.name !== killedBy.title) skip();
    });
    await import(inGraphOf(name, ROOT + killedBy.file));
  });
}
