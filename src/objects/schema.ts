/** What is stored beside the rows, and how one version of it becomes the next. */

/**
 *   1  documents of machine state; rows in one table per partition (see `sql-row-statements.ts`)
 */
const SCHEMA_VERSION = 1;

const DOCUMENTS = `CREATE TABLE IF NOT EXISTS documents
  (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`;

/** `migrate[v]` turns what version v stored into what version v + 1 stores. */
const migrate: Record<number, (sql: SqlStorage) => void> = {
  0: (sql) => void sql.exec(DOCUMENTS).toArray(),
};

/** Brings the object's storage to the present version, in the transaction of the event that opens it. */
export function openSchema(sql: SqlStorage): void {
  let version = storedVersion(sql);
  if (version > SCHEMA_VERSION)
    throw new Error(
      `stored by a newer version of Godwit: schema ${version}, not ${SCHEMA_VERSION}`,
    );
  if (version === SCHEMA_VERSION) return;
  for (; version < SCHEMA_VERSION; version++) migrate[version]?.(sql);
  sql
    .exec("INSERT OR REPLACE INTO documents VALUES ('schema', ?)", JSON.stringify(SCHEMA_VERSION))
    .toArray();
}

function storedVersion(sql: SqlStorage): number {
  const tables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'documents'").toArray();
  if (tables.length === 0) return 0;
  const [row] = sql
    .exec<{ value: string }>("SELECT value FROM documents WHERE name = 'schema'")
    .toArray();
  return row ? Number(JSON.parse(row.value)) : 0;
}
