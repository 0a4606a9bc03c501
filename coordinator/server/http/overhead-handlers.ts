// Requests about overhead: experiments (starting, looking on, cancelling), and what was measured on single machines.
import { PUBLISHED as published } from "../experiment-figures.ts";
import type { Services } from "./services.ts";
import type { Handlers } from "./site.ts";

type Served =
  | ("experiments" | "experiment" | "startExperiment" | "cancelExperiment")
  | ("measurements" | "measurement" | "removeMeasurement");

export function overheadHandlers({ coordinator, experiments, measurements }: Services): Handlers<Served> {
  return {
    experiments: ({ query }) => {
      const found = experiments.list(query.before, query.limit + 1);
      return { experiments: found.slice(0, query.limit), more: found.length > query.limit, published };
    },
    experiment: ({ params }) => ({ experiment: experiments.one(params.experiment), published }),
    startExperiment: ({ body }, { who }) => ({ experiment: experiments.start(body, who.name) }),
    cancelExperiment: ({ params }, { who }) => {
      experiments.cancel(params.experiment, who.name, who.role === "administrator");
      return {};
    },
    measurements: ({ query: { before, limit, machine } }) => {
      const found = measurements.rows(before, limit + 1, machine);
      const machines = coordinator.store.measurements.machines();
      return { measurements: found.slice(0, limit), more: found.length > limit, machines };
    },
    measurement: ({ params }) => ({ measurement: measurements.one(params.measurement) }),
    removeMeasurement: ({ params }, { who }) => {
      measurements.remove(params.measurement, who.name);
      return {};
    },
  };
}
