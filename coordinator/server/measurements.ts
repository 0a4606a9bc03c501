// What being WebAssembly and being migratable costs programs, on the machines of people who measured it with `nightshift bench kernels --send`:
// hosts run no native code, so they cannot tell. Taken as sent, within the bounds of its schema, with who sent it in the journal.

import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { fill } from "../protocol/deed-details.ts";
import type { MeasurementOrder, MeasurementView } from "../protocol/index.ts";
import type { Measurement } from "../store/index.ts";
import type { Coordinator } from "./coordinator.ts";
import { geometricMean } from "./experiment-figures.ts";

/** As a row of the history. */
export type MeasurementRow = Omit<MeasurementView, "programs"> & { programs: number };

export class MachineMeasurements {
  private readonly coordinator: Coordinator;

  constructor(coordinator: Coordinator) {
    this.coordinator = coordinator;
  }

  add(order: MeasurementOrder, who: string): MeasurementView {
    const made = this.coordinator.store.measurements.add({ ...order, at: Date.now(), who });
    const count = made.programs.length;
    const machine = made.machine.name;
    const details =
      count === 1
        ? fill("1 program on {machine}", { machine })
        : fill("{programs} programs on {machine}", { programs: count, machine });
    this.coordinator.note({ who, what: "measurement-sent", target: `measurement ${made.id}`, details });
    return viewOf(made);
  }

  /** @throws NS_NOT_FOUND */
  one(id: number): MeasurementView {
    const found = this.coordinator.store.measurements.one(id);
    if (!found) throw new NightshiftError("NS_NOT_FOUND", `there is no measurement ${id}`);
    return viewOf(found);
  }

  rows(before: number, limit: number, machine: string): MeasurementRow[] {
    return this.coordinator.store.measurements
      .list(before, limit, machine)
      .map((found) => ({ ...viewOf(found), programs: found.programs.length }));
  }

  /** @throws NS_NOT_FOUND */
  remove(id: number, who: string): void {
    const { machine } = this.one(id);
    this.coordinator.store.measurements.remove(id);
    this.coordinator.note({ who, what: "measurement-removed", target: `measurement ${id}`, details: machine.name });
  }
}

/** Geometric means of ratios, less one; native ones of the programs that have a native time, null when none has. */
function viewOf(measurement: Measurement): MeasurementView {
  const { programs } = measurement;
  const natives = programs.flatMap(({ native, plainWasm, migratable }) =>
    native === null ? [] : [{ plain: plainWasm / native, migratable: migratable / native }],
  );
  const over = (ratios: readonly number[]): number | null => (ratios.length === 0 ? null : geometricMean(ratios) - 1);
  return {
    ...measurement,
    means: {
      plainOverNative: over(natives.map(({ plain }) => plain)),
      migratableOverNative: over(natives.map(({ migratable }) => migratable)),
      migratableOverPlain: geometricMean(programs.map(({ migratable, plainWasm }) => migratable / plainWasm)) - 1,
    },
  };
}
