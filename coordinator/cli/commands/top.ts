import { declare } from "../common.ts";
export const topCommand = () =>
  declare({
    usage: "top",
    description: "top a small cluster here and run the experiment",
    examples: ["nightshift top"],
    coordinator: false,
  });
