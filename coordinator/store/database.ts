// One SQLite connection: prepared statements kept by their text, and transactions. Knows no table.
import type { DatabaseSync, StatementSync } from "node:sqlite";

export type Row = Record<string, number | bigint | string | Uint8Array | null>;

export class Database {
  private readonly db: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.db = db;
  }

  statement(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (!statement) {
      statement = this.db.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  all(sql: string, ...values: (string | number | null)[]): Row[] {
    return this.statement(sql).all(...values) as Row[];
  }

  first(sql: string, ...values: (string | number | null)[]): Row | undefined {
    return this.statement(sql).get(...values) as Row | undefined;
  }

  /** @returns how many rows it changed */
  run(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.statement(sql).run(...values).changes);
  }

  /** All of it or nothing. */
  transaction<T>(work: () => T): T {
    this.db.exec("begin immediate");
    try {
      const result = work();
      this.db.exec("commit");
      return result;
    } catch (thrown) {
      this.db.exec("rollback");
      throw thrown;
    }
  }

  close(): void {
    this.db.close();
  }
}
