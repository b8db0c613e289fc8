/** The pages of `examples`, bundled for browsers, in a folder that is served under `/examples/`. */
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));

export interface Assets {
  readonly directory: string;
  readonly dispose: () => Promise<void>;
}

export async function buildExamples(): Promise<Assets> {
  const directory = await mkdtemp(join(tmpdir(), "godwit-examples-"));
  const to = join(directory, "examples");
  await cp(EXAMPLES, to, { recursive: true, filter: (file) => !/\.(ts|json|md)$/.test(file) });
  const entries = await readdir(EXAMPLES, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  await build({
    input: Object.fromEntries(
      names.map((name) => [`${name}/main`, join(EXAMPLES, name, "main.ts")]),
    ),
    platform: "browser",
    output: { dir: to, format: "esm", minify: true, entryFileNames: "[name].js" },
  });
  return { directory, dispose: () => rm(directory, { recursive: true, force: true }) };
}
