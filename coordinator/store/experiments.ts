// The overhead experiments that were started here, newest first: what was measured, or how it ended. Plain reading and writing; measuring is
// the server's business.
import type { Database, Row } from "./database.ts";

/** The parts of a run: the work on the first host alone, on the second alone, and on both. */
export const PARTS = ["ta", "ti", "tb"] as const;
export type Part = (typeof PARTS)[number];

export interface ExperimentRun {
  /** Seconds; null: not measured (yet). */
  ta: number | null;
  ti: number | null;
  tb: number | null;
  /** The job that measured each. */
  jobs: Partial<Record<Part, number>>;
  /** Of the part on both hosts. */
  migrations: number;
  migratedProcesses: number;
  freezesMs: number[];
  /** Processes of other jobs were seen on the hosts meanwhile. */
  disturbed: boolean;
}

export interface Experiment {
  id: number;
  who: string;
  state: "running" | "done" | "failed" | "cancelled" | "interrupted";
  /** Why it failed. */
  failure: { code: string; message: string } | null;
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt: number | null;
  /** As they were when it began; work on both starts on the first. */
  hosts: { id: string; name: string; os: string; cpuModel: string; slots: number }[];
  /** n of fork-fibonacci. */
  n: number;
  /** How many runs were asked for. */
  runs: number;
  processes: number;
  /** Those that have begun. */
  results: ExperimentRun[];
  /** What it does now. */
  step: "preparing" | Part | null;
  /** Its job of the moment: to be ended when the coordinator starts again. */
  job: number | null;
}

/** The newest. */
const MAX_EXPERIMENTS = 1000;

export class Experiments {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  add(experiment: Omit<Experiment, "id">): Experiment {
    return this.db.transaction(() => {
      this.db.run("insert into experiment (data) values (?)", JSON.stringify(experiment));
      const id = Number(this.db.first("select max(id) as id from experiment")?.id);
      this.db.run("delete from experiment where id <= ?", id - MAX_EXPERIMENTS);
      return { ...experiment, id };
    });
  }

  save({ id, ...experiment }: Experiment): void {
    this.db.run("update experiment set data = ? where id = ?", JSON.stringify(experiment), id);
  }

  one(id: number): Experiment | undefined {
    const row = this.db.first("select * from experiment where id = ?", id);
    return row && experimentOf(row);
  }

  /** Newest first. @param before only older ones than this id */
  list(before: number, limit: number): Experiment[] {
    return this.db.all("select * from experiment where id < ? order by id desc limit ?", before, limit).map(experimentOf);
  }
}

const experimentOf = (row: Row): Experiment => ({ ...JSON.parse(String(row.data)), id: Number(row.id) });
