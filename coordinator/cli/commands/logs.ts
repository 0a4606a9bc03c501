// `nightshift logs`: what a process or a job has written, byte for byte, and with -f what it goes on writing.
import type { Command } from "commander";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { openClient, resolveTarget } from "../connect.ts";
import { followOutput } from "../follow.ts";
import { Session } from "../session.ts";
import { jsonSink, terminalSink } from "../sinks.ts";
import { parseTarget, TARGET_RULE } from "../targets.ts";

const GIVE_UP_MS = 5 * 60_000;

export function logsCommand(): Command {
  return declare({
    usage: "logs <pid|job>",
    description: "print what a process, a job or a part of one has written to stdout and stderr",
    examples: ["nightshift logs 12", "nightshift logs -f j3", "nightshift logs j3.2"],
    notes: `${TARGET_RULE} Of a job with several parts one follows the other. The exit status says whether the output could be had, not how the program ended.`,
    json: 'one JSON object a line: {"event":"output", stream: "stdout"|"stderr", pid, part, text or base64} and, with -f, {"event":"ended", report}',
  })
    .option("-f, --follow", "go on until it ends", false)
    .action(async (text: string, options: CommonOptions & { follow: boolean }) => {
      const target = parseTarget(text);
      const session = new Session({
        connect: async () => openClient(await resolveTarget(options.coordinator)),
        giveUpMs: GIVE_UP_MS,
      });
      await session.open();
      try {
        const sink = options.json ? jsonSink() : terminalSink();
        const report = await followOutput(session, { ...target, follow: options.follow }, sink);
        if (options.json && options.follow) sink.event({ event: "ended", report });
      } finally {
        session.close();
      }
    });
}
