/** Clients of a grid, which end with its tests. */
import { connect, type Grid as Client, type Options } from "godwit/client";
import type { Grid } from "./grid.ts";

export class Clients {
  readonly #open: Client[] = [];

  async of(grid: Grid, options: Options = {}): Promise<Client> {
    const client = await connect(grid.api.base, options);
    this.#open.push(client);
    return client;
  }

  close(): void {
    for (const client of this.#open) client.close();
  }
}
