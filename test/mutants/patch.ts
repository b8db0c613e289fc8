/** Loaded before a simulation (`node --import`): replaces one passage of one production file. */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { MUTANTS } from "./mutants.ts";

const mutant = MUTANTS.find(({ name }) => name === process.env["MUTANT"]);
if (!mutant) throw new Error(`no mutant ${process.env["MUTANT"]}`);
const { file, find, replace } = mutant;

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith("file:") || !fileURLToPath(url).endsWith(file))
      return nextLoad(url, context);
    const text = readFileSync(fileURLToPath(url), "utf8");
    if (text.split(find).length !== 2) throw new Error(`the patch does not fit ${file}`);
    const source = stripTypeScriptTypes(text.replace(find, replace));
    return { format: "module", source, shortCircuit: true };
  },
});
