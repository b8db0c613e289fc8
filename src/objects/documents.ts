/** Saved machine state as named JSON documents: a save writes those whose value is another object. */
export type Documents = ReadonlyMap<string, unknown>;

export class DocumentStore {
  readonly #sql: SqlStorage;
  #written: Documents = new Map();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read(): Map<string, unknown> {
    const rows = this.#sql
      .exec<{ name: string; value: string }>("SELECT name, value FROM documents")
      .toArray();
    return new Map(rows.map(({ name, value }): [string, unknown] => [name, JSON.parse(value)]));
  }

  /** What the store holds already, as the values that the machine now has in its state. */
  adopt(documents: Documents): void {
    this.#written = documents;
  }

  write(documents: Documents): void {
    for (const [name, value] of documents) {
      if (this.#written.get(name) === value) continue;
      this.#sql
        .exec("INSERT OR REPLACE INTO documents VALUES (?, ?)", name, JSON.stringify(value))
        .toArray();
    }
    this.#written = documents;
  }
}
