// Requests about overhead experiments: starting, looking on, cancelling.
import { PUBLISHED as published } from "../experiment-figures.ts";
import type { Services } from "./services.ts";
import type { Handlers } from "./site.ts";

type Served = "experiments" | "experiment" | "startExperiment" | "cancelExperiment";

export function overheadHandlers({ experiments }: Services): Handlers<Served> {
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
  };
}
