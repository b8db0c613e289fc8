/** A way through a world as text, in the form of a play: what happens next, and below it what came of it. */
import { formatScript, parseScript, type Act } from "../scripts/script.ts";
import { showMessage } from "../scripts/show.ts";
import { nameOf, type Place } from "./letters.ts";
import { REPLACED, type Happening, type Next } from "./moves.ts";
import type { Search } from "./search.ts";
import type { State } from "./state.ts";
import type { Asked } from "./world.ts";

/** What can happen, each by a name of its own, in the order of `happenings`. */
function named(search: Search, state: State): readonly (readonly [string, Happening])[] {
  const times = new Map<string, number>();
  return search.rules.happenings(state).map((happening) => {
    const name = nameIt(search, state, happening);
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    return [time > 1 ? `${name} (${time})` : name, happening];
  });
}

function nameIt(search: Search, state: State, happening: Happening): string {
  switch (happening.type) {
    case "lose":
    case "delay":
      return `${happening.type} ${showLetter(search, happening.letter)}`;
    case "sleep":
      return `crash ${nameOf(happening.place)}`;
    case "replace":
      return "replace coordinator";
    case "cut":
      return `cut off ${nameOf(happening.place)}`;
    case "heal":
      return "heal";
    case "restore":
      return "restore coordinator";
    case "step": {
      const { place, crash } = happening;
      const words = [whatFor(search, state, happening)];
      if (place === REPLACED) words.push("to=replaced");
      if (crash) words.push(`crash=${crash}`);
      return words.join(" ");
    }
  }
}

function whatFor(
  search: Search,
  state: State,
  { place, stimulus, repeats }: Extract<Happening, { type: "step" }>,
): string {
  if (stimulus.type === "letter")
    return `${repeats ? "repeat" : "deliver"} ${showLetter(search, stimulus.id)}`;
  if (stimulus.type === "asked") return showAsked(search.rules.asked[stimulus.index], place);
  const timers = search.locals.timers(place, state.images[place] ?? 0);
  return `wake ${nameOf(place)} ${timers[stimulus.timer]?.name}`;
}

function showLetter({ locals }: Search, id: number): string {
  const { from, to, message } = locals.letters.get(id);
  return `${from}>${nameOf(to)} ${showMessage(message)}`;
}

function showAsked(asked: Asked | undefined, place: Place): string {
  if (asked?.type === "operator") return `ask ${showMessage(asked.message)}`;
  if (!asked) return "ask nothing";
  const { key, value } = asked.op;
  const at = asked.type === "front" ? `front n${place}` : `n${place}`;
  return value ? `put ${at} ${key}=${new TextDecoder().decode(value)}` : `delete ${at} ${key}`;
}

function printed(search: Search, { step }: Next): string {
  if (!step) return "";
  const lines = step.sent.map((id) => `  ${showLetter(search, id)}`);
  for (const [index] of search.rules.asked.entries())
    if ((step.acked >> index) & 1) lines.push(`  client: w${index} acknowledged`);
  if (step.wrong) lines.push(`  ${step.wrong.message}`);
  return lines.join("\n");
}

/** `way` as `Wrong` has it; `why`: what it shows. */
export function transcript(search: Search, way: readonly number[], why: string): string {
  const acts: Act[] = [
    { preface: `# ${why}\n`, command: `world ${search.world.name}`, printed: "" },
  ];
  let state = search.first;
  for (const ordinal of way) {
    const [command, happening] = named(search, state)[ordinal] ?? [];
    if (command === undefined || !happening) throw new Error("the way leads nowhere");
    const next = search.rules.happen(state, happening);
    acts.push({ preface: "", command, printed: printed(search, next) });
    state = next.state;
  }
  return formatScript(acts);
}

export const worldOf = (text: string): string =>
  parseScript(text)[0]?.command.replace(/^world /, "") ?? "";

/** Does the same again, and says what came of it this time. */
export function replay(
  search: Search,
  text: string,
): { readonly text: string; readonly way: readonly number[]; readonly end: State } {
  const [first, ...acts] = parseScript(text);
  if (!first) throw new Error("there is nothing to replay");
  let state = search.first;
  const way: number[] = [];
  const again = acts.map((act): Act => {
    const all = named(search, state);
    const ordinal = all.findIndex(([command]) => command === act.command);
    const [, happening] = all[ordinal] ?? [];
    if (!happening) throw new Error(`this cannot happen here: ${act.command}`);
    way.push(ordinal);
    const next = search.rules.happen(state, happening);
    state = next.state;
    return { ...act, printed: printed(search, next) };
  });
  return { text: formatScript([first, ...again]), way, end: state };
}
