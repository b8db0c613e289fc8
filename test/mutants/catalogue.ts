/**
 * `test/INVARIANTS.md` as data, and what is wrong with it: whatever it names must exist, and whatever
 * exists must be named. A rule is a section `## ID Name`; below its statement each line says one thing:
 *
 *   - kept by `file` `file`
 *   - checker ID                                 of the simulation
 *   - play name.txt
 *   - test `file`: title of a test
 *   - mutant name: what kills it; world of the model in which it is found, too: what is broken there
 */
import { nameOf, type Mutant } from "./mutant.ts";

interface Rule {
  readonly id: string;
  readonly statement: string;
  readonly keepers: readonly string[];
  readonly checkers: readonly string[];
  readonly plays: readonly string[];
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  readonly mutants: readonly { readonly name: string; readonly killedBy: string }[];
  /** Lines that say none of this. */
  readonly unclear: readonly string[];
}

/** What there is. */
export interface Facts {
  readonly checkers: readonly string[];
  readonly plays: readonly string[];
  readonly mutants: readonly Mutant[];
  /** null: no such file. */
  readonly read: (file: string) => string | null;
}

export function parseCatalogue(text: string): Rule[] {
  const sections = text.split(/^## /m).slice(1);
  return sections.filter((section) => /^(I\d+|R-)/.test(section)).map(parseRule);
}

function parseRule(section: string): Rule {
  const [head = "", ...lines] = section.split("\n");
  const items = lines.filter((line) => line.startsWith("- "));
  const said = (pattern: RegExp): RegExpExecArray[] =>
    items.map((item) => pattern.exec(item)).filter((match) => match !== null);
  const KINDS = /^- (kept by `|checker |play |test `|mutant )/;
  return {
    id: head.split(" ")[0] ?? "",
    statement: lines.find((line) => line !== "" && !line.startsWith("- ")) ?? "",
    keepers: said(/^- kept by (.+)$/).flatMap(([, files = ""]) => files.match(/[^` ]+/g) ?? []),
    checkers: said(/^- checker (.+)$/).map(([, id = ""]) => id),
    plays: said(/^- play (.+)$/).map(([, name = ""]) => name),
    tests: said(/^- test `(.+?)`: (.+)$/).map(([, file = "", title = ""]) => ({ file, title })),
    mutants: said(/^- mutant (.+?): (.+)$/).map(([, name = "", killedBy = ""]) => ({
      name,
      killedBy,
    })),
    unclear: items.filter((item) => !KINDS.test(item)),
  };
}

export function problemsOf(text: string, facts: Facts): string[] {
  const rules = parseCatalogue(text);
  const named = <T>(pick: (rule: Rule) => readonly T[]): T[] => rules.flatMap(pick);
  const missing = (kind: string, there: readonly string[], said: readonly string[]): string[] =>
    there.filter((name) => !said.includes(name)).map((name) => `${kind} ${name} is not named`);
  const mutants = facts.mutants.map(({ name }) => name);
  const mutantNames = named((rule) => rule.mutants).map(({ name }) => name);
  return [
    ...rules.flatMap((rule) => problemsOfRule(rule, facts)),
    ...missing(
      "checker",
      facts.checkers,
      named((rule) => rule.checkers),
    ),
    ...missing(
      "play",
      facts.plays,
      named((rule) => rule.plays),
    ),
    ...missing("mutant", mutants, mutantNames),
    ...twice(rules.map(({ id }) => id)).map((id) => `${id} is there twice`),
  ];
}

function problemsOfRule(rule: Rule, facts: Facts): string[] {
  const { id, keepers, checkers, plays, tests, mutants } = rule;
  const problems: string[] = rule.unclear.map((line) => `says nothing: ${line}`);
  if (rule.statement === "") problems.push("states nothing");
  if (keepers.length === 0) problems.push("is kept by nothing");
  if (checkers.length + plays.length + tests.length === 0) problems.push("is proved by nothing");
  if (mutants.length === 0) problems.push("no mutant breaks it");
  for (const file of keepers)
    if (facts.read(file) === null) problems.push(`there is no file ${file}`);
  for (const checker of checkers)
    if (!facts.checkers.includes(checker)) problems.push(`there is no checker ${checker}`);
  for (const name of plays)
    if (!facts.plays.includes(name)) problems.push(`there is no play ${name}`);
  for (const { file, title } of tests)
    if (!hasTest(facts.read(file) ?? "", title))
      problems.push(`there is no test in ${file}: ${title}`);
  for (const { name, killedBy } of mutants)
    problems.push(...problemsOfMutant(name, killedBy, facts));
  return problems.map((problem) => `${id}: ${problem}`);
}

function problemsOfMutant(name: string, killedBy: string, facts: Facts): string[] {
  const mutant = facts.mutants.find((other) => other.name === name);
  if (!mutant) return [`there is no mutant ${name}`];
  const killer = nameOf(mutant);
  return killer === killedBy ? [] : [`${name} is killed by ${killer}, not by ${killedBy}`];
}

/** As the first word of a call: `it("title"`, `it.each(…)("title"`. */
function hasTest(source: string, title: string): boolean {
  const calls = source.replaceAll(/\(\s+/g, "(");
  return ['"', "`", "'"].some((quote) => calls.includes(`(${quote}${title}${quote}`));
}

const twice = (names: readonly string[]): string[] =>
  names.filter((name, i) => names.indexOf(name) !== i);
