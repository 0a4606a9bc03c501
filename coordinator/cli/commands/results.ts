// `nightshift results`: what a job's parts wrote, as a folder for each.
import type { Command } from "commander";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { openClient, resolveTarget } from "../connect.ts";
import { EXIT, ExitWith, errorText } from "../outcome.ts";
import { Results } from "../results.ts";
import { Session } from "../session.ts";
import { parseJob } from "../targets.ts";
import { printJson, write } from "../terminal.ts";

const GIVE_UP_MS = 5 * 60_000;

export function resultsCommand(): Command {
  return declare({
    usage: "results <job> <dir>",
    description: "fetch what a job's parts have written: stdout, stderr and files, a folder for each part",
    examples: ["nightshift results j5 frames"],
    notes:
      "Parts that have not ended yet are left out. What is there already is written anew. It exits with 1 when a file could not be written.",
    json: "{job, parts, of, folder}: how many parts of how many, and where",
  }).action(async (text: string, folder: string, options: CommonOptions) => {
    const job = parseJob(text);
    const session = new Session({
      connect: async () => openClient(await resolveTarget(options.coordinator)),
      giveUpMs: GIVE_UP_MS,
    });
    const client = await session.open();
    try {
      const { parts } = await client.request("job", { job });
      const results = new Results(session, job, parts.total, folder);
      const problems = await results.write();
      for (const problem of problems) process.stderr.write(errorText(problem));
      const { count, folder: where } = results;
      if (options.json) await printJson({ job, parts: count, of: parts.total, folder: where });
      else
        await write(process.stdout, `${count} of ${parts.total} ${parts.total === 1 ? "part" : "parts"} written to ${where}.\n`);
      if (problems.length > 0) throw new ExitWith(EXIT.failure);
    } finally {
      session.close();
    }
  });
}
