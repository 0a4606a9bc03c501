// `nightshift events`: the audit log, to look at or to keep.
import type { Command } from "commander";
import { type EventFormat, eventLine, eventsHead, MAX_ROWS, type Result, type RpcClient } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { parseCount } from "../quantities.ts";
import { type Column, renderTable } from "../table.ts";
import { write } from "../terminal.ts";

type Row = Result<"events">[number];

/** As many as fit on a screen or two. */
const SHOWN = 50;

export function eventsCommand(): Command {
  return declare({
    usage: "events",
    description: "list who did what, newest first; for administrators",
    examples: ["nightshift events", "nightshift events --search host-changed -n 200", "nightshift events --csv > events.csv"],
    notes: `Without -n the newest ${SHOWN}, with --csv or --json all there are: a year, or the newest million.`,
    json: "one JSON object a line: {id, time, who, what, target, details}",
  })
    .option("-s, --search <text>", "only those with this in who, what, target or details", "")
    .option("-n, --limit <count>", "only so many")
    .option("--csv", "print CSV for spreadsheets instead of text")
    .action(async (options: CommonOptions & { search: string; limit?: string; csv?: boolean }) => {
      const format = options.json ? "jsonl" : options.csv ? "csv" : null;
      const asked = options.limit === undefined ? undefined : parseCount(options.limit, "--limit", 1, 1_000_000);
      const limit = asked ?? (format === null ? SHOWN : Number.POSITIVE_INFINITY);
      await withClient(options, async (client) => {
        if (format !== null) return writeAll(client, options.search, limit, format);
        const rows: Row[] = [];
        for await (const page of pages(client, options.search, limit)) rows.push(...page);
        return write(process.stdout, rows.length === 0 ? "No such event.\n" : renderTable(COLUMNS, rows));
      });
    });
}

/** As they come, so that a long log is never here as a whole. */
async function writeAll(client: RpcClient, text: string, limit: number, format: EventFormat): Promise<void> {
  await write(process.stdout, eventsHead(format));
  for await (const page of pages(client, text, limit))
    await write(process.stdout, page.map((event) => eventLine(event, format)).join(""));
}

async function* pages(client: RpcClient, text: string, limit: number): AsyncGenerator<Row[]> {
  for (let before = Number.MAX_SAFE_INTEGER, left = limit; left > 0; ) {
    const page = await client.request("events", { text, before, limit: Math.min(left, MAX_ROWS) });
    const last = page.at(-1);
    if (!last) return;
    yield page;
    before = last.id;
    left -= page.length;
  }
}

const COLUMNS: Column<Row>[] = [
  { head: "WHEN", value: ({ at }) => new Date(at).toLocaleString() },
  { head: "WHO", value: ({ who }) => who },
  { head: "WHAT", value: ({ what }) => what },
  { head: "TARGET", value: ({ target }) => target },
  { head: "DETAILS", value: ({ details }) => details },
];
