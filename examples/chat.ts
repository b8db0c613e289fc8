/** A chat room: what is said has one order for everybody. The last messages are an entry of the map `rooms`, too, to be followed. */
import { defineActor, refuse } from "../src/core/actor/definition.ts";

const SHOWN_MAX = 50;
const TEXT_MAX = 500;

export interface Said {
  readonly n: number;
  readonly who: string;
  readonly text: string;
  readonly atMs: number;
}

type Command =
  | { readonly type: "say"; readonly who: string; readonly text: string }
  | { readonly type: "recent" };

export const chat = defineActor<readonly Said[], Command, Said, readonly Said[]>({
  initial: [],
  decide: async (room, command, { actorId, nowMs, map }) => {
    if (command.type === "recent") return { events: [], reply: room };
    const { who, text } = command;
    if (typeof who !== "string" || typeof text !== "string" || !who || !text)
      return refuse("nothing-said", "`who` and `text` are texts");
    if (text.length > TEXT_MAX) return refuse("too-long", `at most ${TEXT_MAX} characters`);
    const said = { n: (room.at(-1)?.n ?? 0) + 1, who, text, atMs: nowMs };
    const after = shown(room, said);
    await map("rooms").set(actorId, after);
    return { events: [said], reply: after };
  },
  evolve: shown,
});

function shown(room: readonly Said[], said: Said): readonly Said[] {
  return [...room, said].slice(-SHOWN_MAX);
}
