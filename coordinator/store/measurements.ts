// What programs took on machines, natively, as plain and as migratable WebAssembly, as people sent it: newest first. Plain reading and
// writing. Whoever measures one machine day by day does not push out the others.
import type { Database, Row } from "./database.ts";

export interface ProgramTimes {
  name: string;
  /** Seconds; null: there was no native program. */
  native: number | null;
  plainWasm: number;
  migratable: number;
  plainBytes: number;
  migratableBytes: number;
}

export interface Measurement {
  id: number;
  /** Milliseconds since 1970, when it was sent. */
  at: number;
  who: string;
  machine: { name: string; cpuModel: string; cores: number; platform: string; node: string };
  /** Of every program, interleaved; the times are their medians. */
  rounds: number;
  /** With arguments that are too small for figures. */
  quick: boolean;
  programs: ProgramTimes[];
}

/** The newest, of one machine and of all. */
const MAX_OF_MACHINE = 100;
const MAX_MEASUREMENTS = 1000;

export class Measurements {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  add(measurement: Omit<Measurement, "id">): Measurement {
    const { name } = measurement.machine;
    return this.db.transaction(() => {
      this.db.run("insert into measurement (machine, data) values (?, ?)", name, JSON.stringify(measurement));
      const id = Number(this.db.first("select max(id) as id from measurement")?.id);
      this.db.run(
        "delete from measurement where machine = ? and id not in (select id from measurement where machine = ? order by id desc limit ?)",
        name,
        name,
        MAX_OF_MACHINE,
      );
      this.db.run(
        "delete from measurement where id not in (select id from measurement order by id desc limit ?)",
        MAX_MEASUREMENTS,
      );
      return { ...measurement, id };
    });
  }

  one(id: number): Measurement | undefined {
    const row = this.db.first("select * from measurement where id = ?", id);
    return row && measurementOf(row);
  }

  /** Newest first. @param before only older ones than this id @param machine of this name only; "": of all */
  list(before: number, limit: number, machine: string): Measurement[] {
    return this.db
      .all(
        "select * from measurement where id < ? and (? = '' or machine = ?) order by id desc limit ?",
        before,
        machine,
        machine,
        limit,
      )
      .map(measurementOf);
  }

  /** Of those that have been measured, by name. */
  machines(): string[] {
    return this.db.all("select distinct machine from measurement order by machine").map(({ machine }) => String(machine));
  }

  /** @returns false when there was none */
  remove(id: number): boolean {
    return this.db.run("delete from measurement where id = ?", id) > 0;
  }
}

const measurementOf = (row: Row): Measurement => ({ ...JSON.parse(String(row.data)), id: Number(row.id) });
