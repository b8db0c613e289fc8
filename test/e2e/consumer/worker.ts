/** A Worker of somebody's who uses a grid: all in one request. */
import { connect, type EntryChange } from "godwit/client";

interface User {
  readonly name: string;
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const grid = await connect(searchParams.get("grid") ?? "");
    const users = grid.map<User>("users");
    const told: EntryChange<User>[] = [];
    const subscription = users.subscribe((changes) => void told.push(...changes));
    await subscription.synced;
    const [likes, tags] = [grid.counter("likes"), grid.set<string>("tags")];
    const written = ["alice", "bob"].map((name) => users.set(name, { name }, { ack: "backup" }));
    await Promise.all([...written, likes.increment(2), tags.add("x"), tags.add("y")]);
    await tags.delete("x");
    const found = {
      before: await users.get("before"),
      alice: await users.get("alice"),
      likes: await likes.value(),
      tags: await tags.values(),
      told: [...new Set(told.map(({ key }) => key))].toSorted(),
      nodes: grid.status().nodes.length,
    };
    grid.close();
    return Response.json(found);
  },
};
