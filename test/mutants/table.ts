/** What the catalogue says of small worlds, as tables: they are made of what there is, and written by `UPDATE=1`. */
import { judgedIn } from "../model/judged.ts";
import { FAULTS, type World } from "../model/world.ts";
import { parseCatalogue } from "./catalogue.ts";
import type { Mutant } from "./mutant.ts";

const HEAD = "## In small worlds\n";

interface There {
  /** The quick and the small ones first. */
  readonly worlds: readonly World[];
  readonly brief: readonly World[];
  readonly mutants: readonly Mutant[];
}

/** The text with its tables as they should be. */
export function withTables(text: string, there: There): string {
  const at = text.indexOf(HEAD);
  if (at < 0) throw new Error(`no section ${HEAD.trim()}`);
  const intro = text.slice(at).split("\n\n").slice(0, 2).join("\n\n");
  const end = text.indexOf("\n## ", at + HEAD.length);
  const tables = `${worldsTable(there)}\n\n${rulesTable(text, there)}\n`;
  return `${text.slice(0, at)}${intro}\n\n${tables}${text.slice(end)}`;
}

/** Spaces and rules of a table are for whoever formats it. */
export const unformatted = (text: string): string =>
  text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");

function worldsTable({ worlds, brief, mutants }: There): string {
  const rows = worlds.map((world) => {
    const { name, budget, statesMin } = world;
    const faults = FAULTS.flatMap((fault) =>
      budget[fault] > 0 ? `${budget[fault]} ${fault}` : [],
    );
    const killed = mutants.filter((mutant) => worldsOf(mutant).includes(name));
    return [
      name,
      faults.join(", "),
      statesMin.toLocaleString("en"),
      brief.includes(world) ? "" : "`--large`",
      killed.map((mutant) => mutant.name).join(", "),
    ];
  });
  return table(["world", "faults", "states, at least", "run by", "finds the mutants"], rows);
}

function rulesTable(text: string, { worlds, mutants }: There): string {
  const rules = parseCatalogue(text).filter(({ id }) => /^I\d+$/.test(id));
  const rows = rules.map((rule) => {
    const theirs = mutants.filter(({ name }) => rule.mutants.some((other) => other.name === name));
    const judging = worlds.filter((world) => judgedIn(world).some((id) => id === rule.id));
    const names =
      judging.length === worlds.length ? "all" : judging.map(({ name }) => name).join(", ");
    const inWorlds = theirs.filter((mutant) => worldsOf(mutant).length > 0);
    const inRuns = theirs.filter(({ killedBy }) => "checkers" in killedBy);
    const inTests = theirs.filter(({ killedBy }) => "title" in killedBy);
    return [rule.id, names, ...[inWorlds, inRuns, inTests].map(({ length }) => String(length))];
  });
  const head = ["rule", "worlds that judge it", "mutants found in worlds", "in runs", "by tests"];
  return table(head, rows);
}

const worldsOf = ({ killedBy, killedIn }: Mutant): readonly string[] =>
  [killedBy, killedIn].flatMap((by) => (by && "world" in by ? [by.world] : []));

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
