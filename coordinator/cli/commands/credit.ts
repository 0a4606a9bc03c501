// `nightshift credit`: which hosts have given how much.
import type { Command } from "commander";
import type { Result } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { parseCount, showAmount } from "../quantities.ts";
import { type Column, renderTable } from "../table.ts";
import { printJson, write } from "../terminal.ts";

type Row = Result<"credit">[number];

export function creditCommand(): Command {
  return declare({
    usage: "credit",
    description: "list what hosts have earned by computing, the most first",
    examples: ["nightshift credit", "nightshift credit --days 7"],
    notes:
      "Credit is hours of one core of an ordinary office PC: a faster host earns more in the same time. Only work that is kept earns, and what is done twice earns once. Days are UTC's.",
    json: "an array of {rank, id, host, credit, coreHours}; coreHours are hours of the host's own cores, host is empty when nothing is known of it any more",
  })
    .option("--days <count>", "only of so many days, today among them")
    .action(async (options: CommonOptions & { days?: string }) => {
      const days = options.days === undefined ? null : parseCount(options.days, "--days", 1, 36_500);
      const rows = await withClient(options, (client) => client.request("credit", { days }));
      if (options.json) return printJson(rows);
      if (rows.length === 0) return write(process.stdout, "No host has earned anything yet.\n");
      return write(process.stdout, renderTable(COLUMNS, rows));
    });
}

const COLUMNS: Column<Row>[] = [
  { head: "RANK", align: "right", value: ({ rank }) => String(rank) },
  { head: "HOST", value: ({ host, id }) => host || id.slice(0, 12) },
  { head: "CREDIT", align: "right", value: ({ credit }) => showAmount(credit) },
  { head: "CORE HOURS", align: "right", value: ({ coreHours }) => showAmount(coreHours) },
];
