// `nightshift bench`: starts a cluster of its own on this machine and measures on it. The measuring is the experiment's.
import { declare } from "../common.ts";
export const benchCommand = () =>
  declare({
    usage: "bench <name>",
    description: "bench a small cluster here and run the experiment",
    examples: ["nightshift bench"],
    coordinator: false,
  });
