/** What an application holds. */
import type { Mutant, Test } from "./mutant.ts";

const outbox = (title: string): Test => ({ file: "test/client/outbox.test.ts", title });
const counters = (title: string): Test => ({ file: "test/client/counters.test.ts", title });
const counter = (title: string): Test => ({
  file: "test/client/counter-follower.test.ts",
  title,
});
const view = (title: string): Test => ({ file: "test/client/view.test.ts", title });
const followers = (title: string): Test => ({ file: "test/client/followers-model.test.ts", title });
const CONVERGES =
  "in the end a set and a counter are what the owner has, and at no time is anything counted twice";
const ranking = (title: string): Test => ({ file: "test/client/ranking.test.ts", title });
const FIRST =
  "is the first of all that there is, in order, and tells what comes among them and what does not stay";
const hub = (title: string): Test => ({ file: "test/client/hub.test.ts", title });

export const IN_CLIENT: readonly Mutant[] = [
  {
    name: "a stamp given twice",
    bug: "two writes of a client whose clock was corrected have one stamp, where a node is as far ahead",
    file: "src/client/machine/restamp.ts",
    find: "underAnotherName(state.clock)",
    replace: "state.clock",
    killedBy: outbox(
      "gives no stamp twice, when a clock that was ahead was corrected and that time comes",
    ),
  },
  {
    name: "own write kept against a deletion",
    bug: "what somebody else has deleted before its acknowledgement came is shown again",
    file: "src/client/own-writes.ts",
    find: "if (this.#isAbove(own.told, row)) own.told = row;",
    replace: "",
    killedBy: view("is not a write that somebody else deleted before its acknowledgement came"),
  },
  {
    name: "own writes never doubted",
    bug: "what was acknowledged and deleted before a whole was read is shown for ever",
    file: "src/client/own-writes.ts",
    find: "if (own.settled) this.#wait(key, now);",
    replace: "",
    killedBy: {
      file: "test/client/view-model.test.ts",
      title: "in the end it is what the owner has, whatever came in which order",
    },
  },
  {
    name: "only the newest own write kept",
    bug: "an earlier write that is under way is not shown when a later one is refused",
    file: "src/client/own-writes.ts",
    find: "own.pending.set(id, written);\n    let at",
    replace: "own.pending.clear();\n    own.pending.set(id, written);\n    let at",
    killedBy: view(
      "is what it was before a write that is refused, other writes that are under way included",
    ),
  },
  {
    name: "own write gone with its acknowledgement",
    bug: "what is acknowledged is not shown until it is told",
    file: "src/client/own-writes.ts",
    find: "own.settled = written;",
    replace: "own.settled = null;",
    killedBy: view("stays for a while, and then its owner is asked, again and again"),
  },
  {
    name: "what its owner has lost stands",
    bug: "an acknowledged write that was lost with its owner hides for ever what stands there",
    file: "src/client/view.ts",
    find: "there !== null && compareContents(this.#kind, there, own) < 0",
    replace: "there !== null && there === own",
    killedBy: view("gives way to what is older if its owner has lost it"),
  },
  {
    name: "an answer about another write",
    bug: "what was acknowledged since its owner was asked is not shown any more",
    file: "src/client/own-writes.ts",
    find: "if (!own?.settled || compareStamps(own.settled.row.stamp, upTo) > 0) return;",
    replace: "if (!own?.settled || upTo.millis < 0) return;",
    killedBy: view("is not meant by an answer about one before it, nor is one that is under way"),
  },
  {
    name: "superseded taken for refused",
    bug: "what somebody else has overwritten is told as gone until that is told",
    file: "src/client/hub.ts",
    find: 'outcome.type !== "refused"',
    replace: 'outcome.type === "stored"',
    killedBy: hub("shows a write that is superseded until it is told what stands"),
  },
  {
    name: "told, and written under an older stamp",
    bug: "who overwrites what it was shown loses to it, where the other's clock is ahead",
    file: "src/client/hub.ts",
    find: 'if (news.type === "changed") this.host.seen(newestOf(news.parts));',
    replace: "",
    killedBy: hub("writes over what it was told, whoever's clock is ahead"),
  },
  {
    name: "stamped again, shown under the old stamp",
    bug: "an own write that is newer by the nodes' clock is hidden by what is older",
    file: "src/client/hub.ts",
    find: "view.restamped(id, op.key, contentOf(write))",
    replace: "void [view, id]",
    killedBy: hub("shows a write under the stamp that it got when the nodes' clock was heard"),
  },
  {
    name: "nobody asks about own writes",
    bug: "that an own write was not told is noticed, and no owner is asked",
    file: "src/client/hub.ts",
    find: "live.view.learned(untold, stamp, value);",
    replace: "void live;",
    killedBy: hub("asks the owner of an own write that nobody tells, and believes it"),
  },
  {
    name: "the whole outbox for questions",
    bug: "questions about own writes keep the application's writes out",
    file: "src/client/hub.ts",
    find: "settings.outboxMax / 2 - outbox.size",
    replace: "settings.outboxMax - 0 * outbox.size",
    killedBy: hub("leaves half of the outbox to its application"),
  },
  {
    name: "a full node for ever",
    bug: "a subscription that one node has no room for is not taken to another",
    file: "src/client/machine/subscriptions.ts",
    find: "was.links[(at + 1) % was.links.length] ?? null",
    replace: "was.links[Math.max(0, at)] ?? null",
    killedBy: {
      file: "test/client/subscriptions.test.ts",
      title: "is asked for elsewhere where one node has no room, and by itself",
    },
  },
  {
    name: "a whole shown piece by piece",
    bug: "what a whole replaces is told as deleted before all of it has come",
    file: "src/client/told.ts",
    find: "fading.set(name, row);",
    replace: "void fading;",
    killedBy: view("stays while a whole comes in pieces, and is then what was in them"),
  },
  {
    name: "what expires out of order",
    bug: "an entry is shown until another one expires that was to later",
    file: "src/client/expiries.ts",
    find: "if (!next || next.at >= last.at) break;",
    replace: "if (!next || next.at <= last.at) break;",
    killedBy: {
      file: "test/client/expiries.test.ts",
      title: "what expires is taken in order of its time, whatever was put in between",
    },
  },
  {
    name: "no end of patience",
    bug: "who asks for the entries of a map waits for ever where no node takes the subscription",
    file: "src/client/machine/subscriptions.ts",
    find: "!one.hasBeen && now - since >= state.patienceMs",
    replace: "!one.hasBeen && since < 0",
    killedBy: {
      file: "test/client/subscriptions.test.ts",
      title:
        "is over where it is refused for longer than its application has patience, unless it was complete once",
    },
  },
  {
    name: "a part taken for the whole",
    bug: "who comes back between the pieces of a whole says that it has what was before",
    file: "src/client/machine/subscriptions.ts",
    find: "else if (replaces) after.delete(partitionId);",
    replace: "",
    killedBy: {
      file: "test/client/subscriptions.test.ts",
      title: "is nowhere in a partition of which it has a part only",
    },
  },
  {
    name: "another node's ack",
    bug: "an answer settles the frame of that number, whichever node it went to",
    file: "src/client/machine/outbox.ts",
    find: "const flight = line.flights.get(seq);",
    replace:
      "const flight = [...state.lines.values()].map(({ flights }) => flights.get(seq)).find((one) => one);",
    killedBy: outbox(
      "an answer counts for the frame that it names, at the node that gives it, over the connection it came by",
    ),
  },
  {
    name: "sent again, stamped anew",
    bug: "what a node may have is stamped again when the clock turns out to be wrong",
    file: "src/client/machine/outbox-state.ts",
    find: "isWrite(ask) && !ask.exposed ? { ...ask, exposed: true } : ask;",
    replace: "isWrite(ask) && ask.exposed ? { ...ask, exposed: true } : ask;",
    killedBy: outbox("goes out again under the same stamps, and may be anywhere from then on"),
  },
  {
    name: "added to what is a part of it",
    bug: "what another page has left unsaid counts beside what was told of it",
    file: "src/client/counter-follower.ts",
    find: "if (size(told) >= size(this.#left.get(sub))) yield told;",
    replace: "yield told;",
    killedBy: counter(
      "shows what was told before, and instead of a part of it what was left unsaid",
    ),
  },
  {
    name: "left, and gone with its acknowledgement",
    bug: "what another page has left unsaid is not shown between its acknowledgement and its telling",
    file: "src/client/counter-follower.ts",
    find: 'if (type === "refused") this.#left.delete(sub);',
    replace: "if (type) this.#left.delete(sub);",
    killedBy: counter("counts once what was left, before it is said, after, and when it is told"),
  },
  {
    name: "less by what is late",
    bug: "what was told before a left total was acknowledged takes its place",
    file: "src/client/counter-follower.ts",
    find: "if (left?.isSaid && size(count) >= size(left))",
    replace: "if (left?.isSaid)",
    killedBy: counter(
      "is not shown less by what was told before it was acknowledged, and comes after that",
    ),
  },
  {
    name: "shown until its removal goes out",
    bug: "an element is shown as long as its removal waits",
    file: "src/client/set-follower.ts",
    find: "new Set([...named, ...others])",
    replace: "new Set([...named, ...others.slice(others.length)])",
    killedBy: followers("hides at once what is taken out before its add is settled"),
  },
  {
    name: "counted twice",
    bug: "what went along with a total waits on, and is added again",
    file: "src/client/machine/counters.ts",
    find: "Queue.of(more.slice(riders.length));",
    replace: "Queue.of(more.slice(0));",
    killedBy: counters(
      "has one total of a counter under way; what is added meanwhile goes out in one, and each is settled",
    ),
  },
  {
    name: "refused, and counted",
    bug: "an increment that was refused is in every total after it",
    file: "src/client/machine/counters.ts",
    find: "isUndone ? takenBack(known.said, counting) : known.said;",
    replace: "isUndone ? known.said : known.said;",
    killedBy: counters(
      "takes back with the next total what was refused, as it may stand all the same",
    ),
  },
  {
    name: "own count told on top",
    bug: "what this client has added counts again when it is told",
    file: "src/client/counter-follower.ts",
    find: "if (replica === replicaId) own += by;",
    replace: "if (replica === replicaId) ((own += by), (others += by));",
    killedBy: followers(CONVERGES),
  },
  {
    name: "what waits for its counter not shown",
    bug: "what is added while another total is under way is shown when that is answered",
    file: "src/client/counter-follower.ts",
    find: "if (isCounted(ask)) added += ask.by;",
    replace: "if (isCounted(ask)) added += 0 * ask.by;",
    killedBy: followers(CONVERGES),
  },
  {
    name: "a total said once",
    bug: "what an owner has lost of a counter, or has though it was refused, stays so",
    file: "src/client/counter-follower.ts",
    find: "this.#untoldSince = isTold ? Infinity",
    replace: "this.#untoldSince = isTold || added >= 0 || added < 0 ? Infinity",
    killedBy: followers(CONVERGES),
  },
  {
    name: "add under two tags",
    bug: "an add that is stamped again stays under its first tag for ever",
    file: "src/client/set-follower.ts",
    find: "this.#end(add.id, before, false);",
    replace: "void before;",
    killedBy: followers(CONVERGES),
  },
  {
    name: "a removal hides for ever",
    bug: "a removal that was refused hides its element",
    file: "src/client/set-follower.ts",
    find: "for (const sub of before) if (!subs.has(sub)) this.#end(id, sub, false);",
    replace: "",
    killedBy: followers(CONVERGES),
  },
  {
    name: "an element gone with one of its adds",
    bug: "an element is told as gone although an add of it is there",
    file: "src/client/set-follower.ts",
    find: "return this.#elements.has(name);",
    replace: "return this.#elements.get(name)?.adds.size === 1;",
    killedBy: followers("shows an element as long as one of its adds is there"),
  },
  {
    name: "pushed out and not told",
    bug: "what is not among the first any more stays at who was told of it",
    file: "src/client/ranking.ts",
    find: "filter((key) => !first.has(key));",
    replace: "filter((key) => !first.has(key) && !this.#byKey.has(key));",
    killedBy: ranking(FIRST),
  },
  {
    name: "many changes, unsorted",
    bug: "what has changed together is at the end of the order",
    file: "src/client/ranking.ts",
    find: "fresh.sort((a, b) => this.#compare(a, b));",
    replace: "fresh.reverse();",
    killedBy: ranking(FIRST),
  },
];
