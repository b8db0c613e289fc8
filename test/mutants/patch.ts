/** Loaded before a simulation (`node --import`): replaces one passage of one production file. */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { patched } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";

const mutant = MUTANTS.find(({ name }) => name === process.env["MUTANT"]);
if (!mutant) throw new Error(`no mutant ${process.env["MUTANT"]}`);

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith("file:") || !fileURLToPath(url).endsWith(mutant.file))
      return nextLoad(url, context);
    const text = readFileSync(fileURLToPath(url), "utf8");
    const source = stripTypeScriptTypes(patched(text, mutant));
    return { format: "module", source, shortCircuit: true };
  },
});
