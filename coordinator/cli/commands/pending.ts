// `nightshift pending`: hosts that wait to be let in, and letting them in or turning them away.

import { Command } from "commander";
import type { Result } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { listCommand } from "../list-command.ts";
import type { Column } from "../table.ts";
import { printJson, write } from "../terminal.ts";

type Row = Result<"pendingHosts">[number];

const ID_SHOWN = 12;

export function pendingCommand(): Command {
  const list = listCommand(
    "pendingHosts",
    {
      description: "list the hosts that wait to be let in",
      examples: ["nightshift pending list"],
      json: "an array of {id, name, since, online, os, cpuModel, slots}; since is milliseconds since 1970",
    },
    "No host waits to be let in.",
    COLUMNS,
  );
  const decide = (name: "approve" | "refuse", description: string, said: string): Command =>
    declare({
      usage: `${name} <host>`,
      description,
      examples: [`nightshift pending ${name} library-3`],
      notes: "The host is named by its name, or by the beginning of its id (its key), which it shows too.",
      json: "{}",
    }).action(async (host: string, options: CommonOptions) => {
      const made = await withClient(options, (client) => client.request("pendingDecide", { host, approve: name === "approve" }));
      return options.json ? printJson(made) : write(process.stdout, `${host} ${said}\n`);
    });
  const pending = new Command("pending").description("hosts that wait to be let in: list, approve, refuse");
  pending.addCommand(list);
  pending.addCommand(decide("approve", "let a host in", "is let in"));
  pending.addCommand(decide("refuse", "turn a host away for good", "is turned away"));
  return pending;
}

const COLUMNS: Column<Row>[] = [
  { head: "ID", value: ({ id }) => id.slice(0, ID_SHOWN) },
  { head: "HOST", value: ({ name }) => name },
  { head: "SINCE", value: ({ since }) => new Date(since).toLocaleString() },
  { head: "STATE", value: ({ online }) => (online ? "connected" : "offline") },
  { head: "SLOTS", align: "right", value: ({ slots }) => String(slots) },
  { head: "SYSTEM", value: ({ os }) => os },
  { head: "PROCESSOR", value: ({ cpuModel }) => cpuModel },
];
