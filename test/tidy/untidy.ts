/** What the other tools do not see. Each rule holds for this file too. */
import { globSync, readdirSync, readFileSync } from "node:fs";
import { basename, relative, resolve } from "node:path";

const LINES_MAX = 400;

const TOP_FILES = ["package.json", "package-lock.json", "tsconfig.json", "wrangler.toml"];
const TOP_PAPERS = ["README.md", "CHANGELOG.md", "LICENSE"];
const TOP_FOLDERS = ["src", "test", "examples", "node_modules"];
const TOP = new Set([...TOP_FILES, ...TOP_PAPERS, ...TOP_FOLDERS]);

/** Takes out the tildes that keep a forbidden word from being found where it is forbidden. */
export const joined = (text: string): string => text.replaceAll("~", "");
const rule = (pattern: string): RegExp => new RegExp(joined(pattern));

const LOOSENED = rule("@ts-(ign~ore|no~check|expect-~error)\\b");
const ANY = rule("\\bas a~ny\\b");
const COMMENT = /\/\*[^]*?\*\/|\/\/.*/g;
const UNFINISHED = rule("\\b(FIX~ME|XX~X|DO NOT ~MERGE)\\b");
/** A ticket number explains nothing to a reader without the tracker. */
const TICKET = rule("\\b(SP~EC|TO~DO|PH~ASE)-\\d+");
const MACHINE_PATH = rule("(^|[^a-z])/(wo~rk|ro~ot|fa~rm|ho~me|Us~ers)/");
const REGISTRY = rule("registry\\.(npm~js|yarn~pkg)\\.|npm\\.pkg\\.~github\\.|arti~factory");
const NOT_RUN = rule("\\b(it|test|describe|suite)(\\.\\w+)*\\.(sk~ip|to~do|on~ly|fa~ils|run~If)");

/** One line per offence in the tree at `root`, an absolute path; and how many files were read. */
export function untidy(root: string): { readonly files: number; readonly offences: string[] } {
  const offences = readdirSync(root)
    .filter((name) => !name.startsWith(".") && !TOP.has(name))
    .map((name) => `${name}: does not belong at the top level`);
  const files = textFiles(root);
  for (const path of files) {
    const text = readFileSync(resolve(root, path), "utf8");
    offences.push(...offencesIn(path, text).map((offence) => `${path}: ${offence}`));
  }
  return { files: files.length, offences };
}

function offencesIn(path: string, text: string): string[] {
  const offences = [];
  if (REGISTRY.test(text)) offences.push("names a package registry");
  if (basename(path) === "package-lock.json") return offences;
  if (MACHINE_PATH.test(text)) offences.push("names a path of one machine");
  if (UNFINISHED.test(text)) offences.push("says that it is unfinished");
  if (TICKET.test(text)) offences.push("names a ticket");
  if (path.startsWith("src/")) offences.push(...offencesInSource(text));
  else if (NOT_RUN.test(text)) offences.push("has a test that does not always run");
  return offences;
}

function offencesInSource(text: string): string[] {
  const offences = [];
  const lines = text.trimEnd().split("\n").length;
  if (lines > LINES_MAX) offences.push(`${lines} lines, ${LINES_MAX} at most`);
  if (LOOSENED.test(text)) offences.push("switches a check off");
  if (ANY.test(text.replaceAll(COMMENT, ""))) offences.push("casts to any type");
  return offences;
}

function textFiles(root: string): string[] {
  return ["*", ".npmrc", ".gitignore", ".ci/*", "src/**/*", "test/**/*", "examples/**/*"]
    .flatMap((pattern) => globSync(pattern, { cwd: root, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, resolve(entry.parentPath, entry.name)));
}
