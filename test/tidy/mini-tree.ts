/** A small clean project under the real one's configuration, for canaries to spoil. */
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";

/** Path in the tree to text. */
export type Files = Readonly<Record<string, string>>;

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const CONFIGURATION = [
  "tsconfig.json",
  "wrangler.toml",
  "src/data/tsconfig.json",
  "src/protocol/tsconfig.json",
  "src/core/tsconfig.json",
  "src/client/machine/tsconfig.json",
  "examples/tsconfig.json",
  "test/tidy/oxlint.json",
  "test/tidy/layers.cjs",
];

/** Every arrow that the layers allow to a worker, and nothing that nobody uses. */
const CLEAN: Files = {
  "src/data/one.ts": "export const one = 1;\n",
  "src/protocol/two.ts": `import { one } from "../data/one.ts";\n\nexport const two = one + 1;\n`,
  "src/core/config.ts": `import { two } from "../protocol/two.ts";\n\nexport const three = two + 1;\n`,
  "src/core/placement/four.ts": `import { three } from "../config.ts";\n\nexport const four = three + 1;\n`,
  "src/objects/node.ts": `import { DurableObject } from "cloudflare:workers";
import { four } from "../core/placement/four.ts";

export class NodeObject extends DurableObject {
  size(): number {
    return four;
  }
}
`,
  "src/worker/worker.ts": `import { three } from "../core/config.ts";

export { NodeObject } from "../objects/node.ts";

export default { fetch: (): Response => new Response(String(three)) };
`,
  "src/client/machine/six.ts": `import { two } from "../../protocol/two.ts";

export const six = two * 3;
`,
  "src/client/index.ts": `export { six } from "./machine/six.ts";
`,
  "src/cli/start.ts": `import { cpus } from "node:os";
import { four } from "../core/placement/four.ts";

console.log(cpus().length + four);
`,
  "examples/one/main.ts": `document.title = "one";
`,
  "test/one.test.ts": `import { expect, it } from "vitest";
import { one } from "../src/data/one.ts";

it("is one", () => expect(one).toBe(1));
`,
};

/** What the tools that look at the tree itself need; the tree uses no other dependency. */
const TOOLS =
  /^(node|typescript|vitest|wrangler|oxlint.*|prettier|dependency-cruiser|knip|@types\/node|@cloudflare\/workers-types)$/;

export class MiniTree {
  readonly root = mkdtempSync(join(tmpdir(), "godwit-canary-"));
  readonly #scripts: Package["scripts"];

  constructor() {
    for (const path of CONFIGURATION) cpSync(path, join(this.root, path));
    symlinkSync(resolve("node_modules"), join(this.root, "node_modules"));
    const real: Package = JSON.parse(readFileSync("package.json", "utf8"));
    const tools = Object.entries(real.devDependencies).filter(([name]) => TOOLS.test(name));
    const small = { ...real, dependencies: {}, devDependencies: Object.fromEntries(tools) };
    this.write({ ...CLEAN, "package.json": `${JSON.stringify(small, null, 2)}\n` });
    this.#scripts = real.scripts;
  }

  write(files: Files): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), text);
    }
  }

  /** Runs one of the scripts of `package.json` as npm would: what it printed, and its exit code. */
  run(script: string): Promise<{ readonly code: number; readonly output: string }> {
    const command = this.#scripts[script] ?? `no script named ${script}`;
    const path = [resolve("node_modules/.bin"), process.env["PATH"]].join(delimiter);
    const env = { ...process.env, PATH: path, NO_COLOR: "1", FORCE_COLOR: "0" };
    return new Promise((done) => {
      execFile("sh", ["-c", command], { cwd: this.root, env }, (error, stdout, stderr) =>
        done({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
      );
    });
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}
