// A subcommand `list`: what the coordinator has of one kind, as a table or as JSON.
import type { Command } from "commander";
import type { Params, Result } from "../protocol/index.ts";
import { type CommonOptions, type Declaration, declare } from "./command-declaration.ts";
import { withClient } from "./connect.ts";
import { type Column, renderTable } from "./table.ts";
import { printJson, write } from "./terminal.ts";

/** Requests that take nothing and answer with rows. */
type Listing = "tokenList" | "userList" | "apiTokenList" | "pendingHosts";
type Row<M extends Listing> = Result<M>[number];

/** @param none said in place of a table without rows */
export function listCommand<M extends Listing>(
  method: M,
  declaration: Omit<Declaration, "usage">,
  none: string,
  columns: readonly Column<Row<M>>[],
): Command {
  return declare({ usage: "list", ...declaration }).action(async (options: CommonOptions) => {
    const rows: readonly Row<M>[] = await withClient(options, (client) => client.request(method, {} as Params<M>));
    if (options.json) return printJson(rows);
    return write(process.stdout, rows.length === 0 ? `${none}\n` : renderTable(columns, rows));
  });
}
