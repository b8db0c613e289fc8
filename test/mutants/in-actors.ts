/** What would have an actor forget, repeat or reorder what it was told. */
import type { Mutant, Test } from "./mutant.ts";

const execution = (title: string): Test => ({
  file: "test/core/actor/execution.test.ts",
  title,
});
const journals = (title: string): Test => ({ file: "test/core/actor/journals.test.ts", title });
const adversity = (title: string): Test => ({ file: "test/core/actor/adversity.test.ts", title });
const moves = (title: string): Test => ({ file: "test/core/actor/moves.test.ts", title });
const others = (title: string): Test => ({ file: "test/core/actor/others.test.ts", title });

export const IN_ACTORS: readonly Mutant[] = [
  {
    name: "another's entry acknowledged",
    bug: "entries of two actors that go out in one event are told apart by nothing, and one is taken for acknowledged with the other",
    file: "src/core/actor/append.ts",
    find: "turn.takeSeqs(1);\n  spread(",
    replace: "spread(",
    killedBy: adversity(
      "of an actor's entry are not believed for another's that was stored in the same event [I6]",
    ),
  },
  {
    name: "mailbox stuck behind an answer",
    bug: "what is answered at once leaves nothing that the next command could begin with",
    file: "src/core/actor/mailbox.ts",
    find: "if (!activation(turn, name)?.running) goOn(turn, name);",
    replace: "if (activation(turn, name) === null) goOn(turn, name);",
    killedBy: adversity("goes on behind a question that is for another version"),
  },
  {
    name: "decision forgotten behind another",
    bug: "a decision that was begun when one was given up is never given up itself",
    file: "src/core/actor/pursue.ts",
    find: "setActors(turn, { dueAt: Math.min(next, memoryOf(turn).dueAt) });",
    replace: "setActors(turn, { dueAt: next });",
    killedBy: adversity("gives up each of two decisions that never come"),
  },
  {
    name: "commands handed over one by one",
    bug: "the commands of an actor that has moved go to its new owner each for itself, and overtake each other",
    file: "src/core/partition/step-down.ts",
    find: "for (const parts of leaveActors(turn, partitionId)) passOnInOrder(turn, parts);",
    replace:
      "for (const parts of leaveActors(turn, partitionId)) for (const part of parts) passOnInOrder(turn, [part]);",
    killedBy: adversity("hands commands over in their order, though a message is lost"),
  },
  {
    name: "answered before the copies",
    bug: "a command is answered when its entry is on disk at its owner alone",
    file: "src/core/actor/append.ts",
    find: 'const wait = waitOf(turn, partitionId, "backup");',
    replace: 'const wait = waitOf(turn, partitionId, "owner");',
    killedBy: execution(
      "executes commands in their order, and every copy has what they left before it answers",
    ),
  },
  {
    name: "command executed again",
    bug: "a command that comes again is executed again",
    file: "src/core/actor/mailbox.ts",
    find: "commandId === null ? undefined : one.ids.find(commandId)",
    replace: "commandId === null ? undefined : one.ids.find(`${commandId} `)",
    killedBy: execution(
      "answers a repeat of a command what it was answered first, and executes nothing [I13]",
    ),
  },
  {
    name: "refusal not remembered",
    bug: "a refusal leaves no entry that a repeat would find",
    file: "src/core/actor/append.ts",
    find: "const ids = commandId === null ?",
    replace: 'const ids = commandId === null || entry.outcome.type === "declined" ?',
    killedBy: execution(
      "refuses a repeat of a refused command, though it could be executed by now [I13]",
    ),
  },
  {
    name: "answered without an own entry",
    bug: "a question is answered by an owner that has put no entry of its own behind those of earlier ones",
    file: "src/core/actor/execute.ts",
    find: "if (lastEpoch < epoch || !last)",
    replace:
      "if (!last) return tell(turn, name, { call, sequence, confirm: 0, result }); if (lastEpoch < epoch)",
    killedBy: execution("answers a question without an entry, but for one of its own epoch first"),
  },
  {
    name: "question answered by who may be owner no more",
    bug: "a question is answered without a word of the copies, by an owner that was cut off, too",
    file: "src/core/actor/execute.ts",
    find: "const outcomes = one.outcomes.with([{ call, sequence, confirm: n, result }]);",
    replace:
      "const { outcomes } = one; tell(turn, name, { call, sequence, confirm: 0 * n, result });",
    killedBy: moves("and goes on alone answers no question: what it knows may be over [I3]"),
  },
  {
    name: "question answered by an older word",
    bug: "what the copies have said of something that was sent before the question is taken for their answer to it",
    file: "src/core/actor/acknowledge.ts",
    find: "sequence <= mark && confirm <= confirmed;",
    replace: "sequence <= mark && confirm - confirmed < Infinity;",
    killedBy: execution("takes no word of a copy for an answer that was given before the question"),
  },
  {
    name: "mailbox without a bound",
    bug: "commands for one actor wait in any number",
    file: "src/core/actor/mailbox.ts",
    find: "waiting >= MAILBOX_MAX ?",
    replace: "waiting >= Infinity ?",
    killedBy: execution("takes no more commands than its mailbox holds"),
  },
  {
    name: "late decision heeded",
    bug: "a decision that was given up is taken for the answer to the next one",
    file: "src/core/actor/execute.ts",
    find: "return one?.running?.n === n ? one : null;",
    replace: "return one?.running && n > 0 ? one : null;",
    killedBy: execution("gives up a decision that takes too long, and heeds it no more"),
  },
  {
    name: "no opening",
    bug: "an owner goes on from what an earlier one has left without sending it to the copies again",
    file: "src/core/actor/replay.ts",
    find: "if (rows.length === 0) return change",
    replace: "if (rows.length < Infinity) return change",
    killedBy: journals(
      "answers no repeat of what an earlier owner left before every copy has it under this epoch",
    ),
  },
  {
    name: "epoch not in the entry",
    bug: "entries that are made again keep the epoch of the owner that made them first",
    file: "src/protocol/journal.ts",
    find: "stamp: { millis: epoch, counter: 0, node },",
    replace: "stamp: { millis: Math.min(epoch, row.stamp.millis), counter: 0, node },",
    killedBy: journals(
      "counts what an earlier owner left at its end, and puts this owner's epoch to it [I13]",
    ),
  },
  {
    name: "entry behind a later owner's counted",
    bug: "what an earlier owner has left behind an entry of a later one counts, too",
    file: "src/core/actor/replay.ts",
    find: "const isLater = row.stamp.millis >= lastEpoch;",
    replace: "const isLater = row.stamp.millis >= 0 * lastEpoch;",
    killedBy: journals(
      "leaves out what an earlier owner left behind a later one's, and gives its number again",
    ),
  },
  {
    name: "corrupt entry passed over",
    bug: "an entry that cannot be read is left out as if it had left nothing",
    file: "src/core/actor/replay.ts",
    find: "if (!entry.ok) return true;",
    replace: "if (!entry.ok) return false;",
    killedBy: journals(
      "with an entry that cannot be read is refused by its number, and others go on",
    ),
  },
  {
    name: "missing entry passed over",
    bug: "a journal that ends before what was acknowledged is taken for whole",
    file: "src/core/actor/replay.ts",
    find: "const isWhole = mark <= sequence && lastEpoch <= epoch;",
    replace: "const isWhole = mark >= 0 && sequence >= 0 && lastEpoch <= epoch;",
    killedBy: journals("with an entry that is missing is refused until it is there again"),
  },
  {
    name: "snapshot of what is not acknowledged",
    bug: "a snapshot holds what an earlier or a later owner may know nothing of",
    file: "src/core/actor/acknowledge.ts",
    find: "|| frozen.sequence > one.mark) return;",
    replace: "|| frozen.sequence > one.sequence) return;",
    killedBy: journals("takes no snapshot of what the copies may not have"),
  },
  {
    name: "commands forgotten at a snapshot",
    bug: "what was executed before a snapshot is executed again when it comes again",
    file: "src/core/actor/replay.ts",
    find: "ids: CommandIds.of(ids) };",
    replace: "ids: CommandIds.of(ids.slice(0, 0)) };",
    killedBy: journals("is read from its snapshot on, and remembers commands from before it [I13]"),
  },
  {
    name: "queue not handed over",
    bug: "commands that wait where a partition was are forgotten there",
    file: "src/core/actor/fail.ts",
    find: "  ...mailbox,",
    replace: "  ...[...mailbox].slice(0, 0),",
    killedBy: moves(
      "gives up a decision that was begun when all was ready, and the new owner makes it [I13]",
    ),
  },
  {
    name: "moved while a decision is made",
    bug: "an owner is ready to give up a partition while a decision of an actor there is being made",
    file: "src/core/partition/owner.ts",
    find: "if (!isResting(turn, partitionId)) return;",
    replace: "if (isResting(turn, partitionId) === null) return;",
    killedBy: moves(
      "waits for a decision that is being made, and what comes meanwhile waits with it",
    ),
  },
  {
    name: "decisions begun while a move waits",
    bug: "a move waits for a decision, and others are begun meanwhile, without an end",
    file: "src/core/actor/rest.ts",
    find: "return isClosing && !isResting(turn, partitionId);",
    replace: "return isClosing && isResting(turn, partitionId) === null;",
    killedBy: moves(
      "waits for a decision that is being made, and what comes meanwhile waits with it",
    ),
  },
  {
    name: "a move waits for who waits for it",
    bug: "a command that a decision waits for waits itself for the move that waits for that decision",
    file: "src/core/actor/mailbox.ts",
    find: "![...one.mailbox].some(isWaitedFor)",
    replace: "one.mailbox.length > 0",
    killedBy: others(
      "gets its reply though its partition is about to move, and commands from outside wait",
    ),
  },
  {
    name: "calls named anew",
    bug: "a decision that is made again calls others under other names",
    file: "src/objects/errands.ts",
    find: "JSON.stringify([map, key, commandId, n])",
    replace: "JSON.stringify([map, key, commandId, n, Math.random()])",
    killedBy: others("has each call executed once, however often it is made"),
  },
  {
    name: "calls of one name",
    bug: "calls of actors that were sent commands of the same id have one name",
    file: "src/objects/errands.ts",
    find: "JSON.stringify([map, key, commandId, n])",
    replace: "JSON.stringify([key, commandId, n])",
    killedBy: others(
      "does not share its calls with another actor that was sent a command of the same id",
    ),
  },
  {
    name: "calls in a circle",
    bug: "an actor may call one that waits for it",
    file: "src/objects/errands.ts",
    find: "one.map === map && one.key === key",
    replace: "one.map === map && one.key === key && chain.length > 9",
    killedBy: others("waits for nobody who waits for it"),
  },
];
