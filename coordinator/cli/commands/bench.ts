import { declare } from "../common.ts";
export const benchCommand = () =>
  declare({
    usage: "bench <name>",
    description: "bench a small cluster here and run the experiment",
    examples: ["nightshift bench"],
    coordinator: false,
  });
