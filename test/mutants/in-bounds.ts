/** What lets more in than may, or does what nobody waits for. */
import { bound, rule, type Mutant } from "./mutant.ts";

export const IN_BOUNDS: readonly Mutant[] = [
  {
    name: "map asked for without credit",
    bug: "any number of FETCH_MAPs is answered",
    file: "src/core/node/clients.ts",
    find: "(asks ? full : null) ?? taken.take(socket, ops.length);",
    replace: "(asks ? full : null) ?? (ops.length > 0 ? taken.take(socket, ops.length) : null);",
    killedBy: bound(
      "in questions for the map, which count like any other frame of those that come together",
    ),
  },
  {
    name: "term of an invitation forgotten",
    bug: "who was invited believes any coordinator that knows nothing of it",
    file: "src/core/node/node.ts",
    find: '|| message.type === "INVITE"',
    replace: "",
    killedBy: rule(
      "who was invited is not turned away by an older coordinator [I1, sim seed 100077]",
    ),
  },
  {
    name: "inbox without end",
    bug: "frames are let in whatever waits of their socket",
    file: "src/objects/waiting.ts",
    find: "if (frames > CREDIT_FRAMES)",
    replace: "if (frames > 1_000_000)",
    killedBy: {
      file: "test/objects/waiting.test.ts",
      title: "takes a socket's credit of frames, and refuses the next by the name of the bound",
    },
  },
  {
    name: "pushed to nobody",
    bug: "a node without clients arms wakes for pushes of the map",
    file: "src/core/node/map-push.ts",
    find: "if (!map.audience) return skip(turn);",
    replace: "",
    killedBy: {
      file: "test/core/node/map-push.test.ts",
      title:
        "none is made or planned where nobody listens; who comes then is told all, and is pushed what follows",
    },
  },
];
