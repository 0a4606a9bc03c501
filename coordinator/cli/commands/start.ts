import { declare } from "../common.ts";
export const startCommand = () =>
  declare({
    usage: "start",
    description: "start a small cluster here and run the experiment",
    examples: ["nightshift start"],
    coordinator: false,
  });
