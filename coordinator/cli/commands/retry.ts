// `nightshift retry`: parts of a job that have failed begin anew.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Command } from "commander";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { parseTarget, TARGET_RULE } from "../targets.ts";
import { printJson, write } from "../terminal.ts";

export function retryCommand(): Command {
  return declare({
    usage: "retry <job...>",
    description: "run parts of a job again that have failed or were cancelled",
    examples: ["nightshift retry j5", "nightshift retry j5.3 j5.7"],
    notes: `All such parts of a job, or those named. What they wrote before is forgotten; the others are left alone. ${TARGET_RULE}`,
    json: "{job, retried}: how many parts begin anew",
  }).action(async (texts: string[], options: CommonOptions) => {
    const targets = texts.map(parseTarget);
    const job = targets[0]?.job ?? null;
    if (job === null || targets.some((target) => target.job !== job))
      throw new NightshiftError("NS_USAGE", "retry takes one job, or parts of one job", { details: { remedy: TARGET_RULE } });
    const parts = targets.map(({ part }) => part);
    const named = parts.flatMap((part) => part ?? []);
    const request = { job, parts: named.length < parts.length ? null : named };
    const { retried } = await withClient(options, (client) => client.request("retry", request));
    if (options.json) return printJson({ job, retried });
    return write(
      process.stdout,
      `${retried} ${retried === 1 ? "part" : "parts"} of job j${job} ${retried === 1 ? "begins" : "begin"} anew.\n`,
    );
  });
}
