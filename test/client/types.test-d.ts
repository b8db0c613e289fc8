/** The public types, as applications meet them: `tsc` checks this file, nothing runs it. */
import {
  connect,
  GridError,
  type ElementChange,
  type EntryChange,
  type Following,
  type Grid,
  type GridErrorCode,
  type Options,
  type Replied,
} from "godwit/client";

interface User {
  readonly name: string;
  readonly age?: number;
}

type Command = { readonly type: "deposit"; readonly amount: number } | { readonly type: "balance" };

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(equal: Equal<A, B>): boolean => equal;

export async function checked(grid: Grid): Promise<void> {
  const users = grid.map<User>("users");
  const got = await users.get("alice");
  same<typeof got, User | undefined>(true);
  const seen = users.peek("alice");
  same<typeof seen, User | undefined>(true);
  const { superseded } = await users.set("alice", { name: "Alice" }, { ttl: 1_000, ack: "backup" });
  same<typeof superseded, boolean>(true);
  await users.delete("alice", { ack: "owner" });

  const following = users.subscribe(
    (changes) => {
      same<(typeof changes)[number], EntryChange<User>>(true);
    },
    { prefix: "a", where: { op: "not", filter: { op: "in", field: "age", values: [1, null] } } },
  );
  const known = following.get("alice");
  same<typeof known, User | undefined>(true);
  const all = await users.entries({ keys: ["alice"] });
  same<typeof all, [string, User][]>(true);

  const tags = grid.set<"red" | "blue">("tags", "alice");
  const values = await tags.values();
  same<typeof values, ("red" | "blue")[]>(true);
  const shown = tags.peek();
  same<typeof shown, ("red" | "blue")[]>(true);
  const added = await tags.add("red", { ttl: 1_000, ack: "backup" });
  same<typeof added.superseded, boolean>(true);
  const has: boolean = await tags.has("blue");
  const size: number = await tags.size();
  same<Parameters<typeof tags.delete>[0], "red" | "blue">(true);
  same<"green" extends Parameters<typeof tags.add>[0] ? true : false, false>(true);

  const followed = tags.subscribe((changes) => {
    same<(typeof changes)[number], ElementChange<"red" | "blue">>(true);
  });
  same<typeof followed, Following>(true);
  same<"entries" extends keyof Following ? true : false, false>(true);
  await followed.synced;
  followed.close();

  const likes = grid.counter("likes");
  const total = likes.subscribe((sum) => {
    same<typeof sum, number>(true);
  });
  const end = await total.closed;
  same<typeof end, GridError | null>(true);
  await likes.increment();
  await likes.increment(size, { ack: has ? "backup" : "owner" });
  const value = await likes.value();
  same<typeof value, number>(true);
  same<ReturnType<typeof likes.peek>, number>(true);

  const account = grid.actor<Command, { balance: number }>("account", "alice");
  const answer = await account.call(
    { type: "deposit", amount: 1 },
    { commandId: "id", expectedVersion: 3, timeoutMs: 1_000 },
  );
  same<typeof answer, Replied<{ balance: number }>>(true);
  same<typeof answer.version, number>(true);
  const asked = await account.ask({ type: "balance" }, { timeoutMs: 1_000 });
  same<typeof asked.reply, { balance: number }>(true);
  same<
    "commandId" extends keyof NonNullable<Parameters<typeof account.ask>[1]> ? true : false,
    false
  >(true);
  same<Parameters<typeof account.call>[0], Command>(true);
  const untyped = await grid.actor("counter", "likes").call("anything");
  same<typeof untyped.reply, unknown>(true);

  type Set = typeof users.set;
  same<Parameters<Set>[1], User>(true);
  same<undefined extends Parameters<Set>[2] ? true : false, true>(true);
  // A deletion has no time to live, and a value of another type is none.
  same<"ttl" extends keyof NonNullable<Parameters<typeof users.delete>[1]> ? true : false, false>(
    true,
  );
  same<{ age: number } extends Parameters<Set>[1] ? true : false, false>(true);
}

export async function connected(): Promise<Grid> {
  const options: Options = { mode: "gateway", cluster: "main", WebSocket };
  same<NonNullable<Options["mode"]>, "direct" | "gateway">(true);
  same<NonNullable<Options["ack"]>, "owner" | "backup">(true);
  try {
    return await connect(new URL("https://grid.example.com"), options);
  } catch (error) {
    if (error instanceof GridError) {
      same<typeof error.code, GridErrorCode>(true);
      same<typeof error.retry, "never" | "later" | "there">(true);
    }
    throw error;
  }
}
