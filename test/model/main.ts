/**
 * `npm run model [-- --world NAME | --large | --seen | --replay FILE]`: explores the small worlds to the end, or one, or all,
 * and says how large they are, with `--seen` also what happened in them. Of what is wrong it prints the shortest way there, which `--replay` does again.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { OnStage } from "./on-stage.ts";
import { Search } from "./search.ts";
import { replay, transcript, worldOf } from "./trace.ts";
import { FAULTS, type World } from "./world.ts";
import { BRIEF, WORLDS, worldNamed } from "./worlds.ts";

const { values } = parseArgs({
  options: {
    world: { type: "string" },
    large: { type: "boolean" },
    seen: { type: "boolean" },
    replay: { type: "string" },
  },
});

/** False: something is wrong. */
function explore(world: World): boolean {
  const began = performance.now();
  const search = new Search(world);
  const { states, transitions, depth, ends, seen, wrong } = search.run();
  const seconds = (performance.now() - began) / 1_000;
  const faults = FAULTS.flatMap((fault) => {
    const count = world.budget[fault];
    return count > 0 ? [`${fault} ${count}`] : [];
  });
  const facts = [
    `${states} states`,
    `${transitions} transitions`,
    `depth ${depth}`,
    `${ends} ends`,
  ];
  const speed = `${seconds.toFixed(1)} s (${Math.round(states / seconds)} states/s)`;
  console.log(`${world.name} [${faults.join(", ")}]: ${facts.join(", ")}, ${speed}`);
  if (values.seen === true) console.log([...seen].map(([mark, n]) => `  ${mark}: ${n}`).join("\n"));
  const missed = world.seen.filter((mark) => !seen.has(mark));
  if (wrong) {
    console.log(`${wrong.invariant} violated: ${wrong.message}`);
    console.log(
      transcript(search, wrong.way, `${wrong.invariant}: ${wrong.message.split("\n")[0]}`),
    );
  } else if (states < world.statesMin || missed.length > 0) {
    const lacks = missed.map((mark) => `${mark} missed`);
    if (states < world.statesMin) lacks.unshift(`fewer than ${world.statesMin} states`);
    console.log(`not the world that was meant: ${lacks.join(", ")}`);
    return false;
  }
  return wrong === null;
}

if (values.replay !== undefined) {
  const text = readFileSync(values.replay, "utf8");
  const search = new Search(worldNamed(worldOf(text)));
  const { text: again, way } = replay(search, text);
  console.log(again);
  new OnStage(search).follow(search.first, way);
  console.log("# on the stage of the plays the same is said");
} else {
  const all = values.large === true ? WORLDS : BRIEF;
  const worlds = values.world === undefined ? all : [worldNamed(values.world)];
  const good = worlds.filter((world) => explore(world)).length;
  process.exitCode = good === worlds.length ? 0 : 1;
}
