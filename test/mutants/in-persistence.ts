/** What outlives a page. */
import type { Mutant, Test } from "./mutant.ts";

const adopt = (title: string): Test => ({ file: "test/client/adopt.test.ts", title });

const PAGES =
  "loses and doubles nothing over any number of pages, whatever was sent, stored and answered when each ended";

export const IN_PERSISTENCE: readonly Mutant[] = [
  {
    name: "adopted as its own increments",
    bug: "what a page that ended has counted is counted again under the name of the next one",
    file: "src/client/persist/records.ts",
    find: "...total, replica }",
    replace: "...total, replica: `${replica}+` }",
    killedBy: adopt(PAGES),
  },
  {
    name: "only what is not settled counted",
    bug: "a total that is said for a page that ended is less than it has said itself",
    file: "src/client/persist/journal.ts",
    find: "const known = this.#counts.get(name) ?? { inc: 0, dec: 0 };",
    replace: "const known = { inc: 0, dec: 0 };",
    killedBy: adopt(PAGES),
  },
  {
    name: "a refusal not taken back",
    bug: "what was refused is counted by whoever comes next",
    file: "src/client/persist/journal.ts",
    find: 'if (isCounted(ask) && outcome.type === "refused") this.#count(ask, true);',
    replace: "",
    killedBy: adopt("takes back in its total what was refused"),
  },
  {
    name: "closed, and forgotten",
    bug: "what was not settled when all was closed is lost",
    file: "src/client/persist/journal.ts",
    find: "if (client.over) return;",
    replace: "",
    killedBy: adopt("keeps what is not settled when all is closed"),
  },
  {
    name: "not written, and forgotten",
    bug: "what could not be written is not tried again",
    file: "src/client/persist/journal.ts",
    find: "this.#changes = joined(changes, this.#changes);",
    replace: "",
    killedBy: adopt(
      "writes again what could not be written, and all that happens meanwhile in one transaction",
    ),
  },
  {
    name: "older than what was adopted",
    bug: "what is written after a reload loses to what was written before it",
    file: "src/client/machine/writer-clock.ts",
    find: "? clock : { ...clock, last: above(clock.last, stamp) };",
    replace: "? clock : clock;",
    killedBy: adopt("writes newer than what it has adopted"),
  },
  {
    name: "nobody's replica but one's own",
    bug: "what one client says for another is counted as its own",
    file: "src/core/node/clients.ts",
    find: "op.replica ?? clientId",
    replace: "clientId",
    killedBy: {
      file: "test/core/sets.test.ts",
      title: "counts what one client says for another that is no more as what that one has said",
    },
  },
  {
    name: "waits for a full disk",
    bug: "a client begins only when it has written down what others have left",
    file: "src/client/persist/journal.ts",
    find: "await Promise.race([work, this.#failed.promise]);",
    replace: "await work;",
    killedBy: {
      file: "test/client/adopt.test.ts",
      title:
        "keeps nobody waiting for what it adopts and cannot write, and holds on to it until it can",
    },
  },
];
