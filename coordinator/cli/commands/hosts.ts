// `nightshift hosts`: the computers of the cluster and how busy they are.
import type { Command } from "commander";
import type { Result } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { showBytes } from "../quantities.ts";
import { type Column, renderTable } from "../table.ts";
import { type Paint, paintFor, printJson, write } from "../terminal.ts";

export type HostRow = Result<"hosts">[number];
type StateOf = Pick<HostRow, "online" | "paused" | "drained" | "stay" | "block">;

export function hostsCommand(): Command {
  return declare({
    usage: "hosts",
    description: "list hosts: state, slots, load, speed",
    examples: ["nightshift hosts", "nightshift hosts --json"],
    json: "an array of {name, id, tags, online, paused, drained, stay, block, slots, speed, running, runnable, blocked, memoryBytes, memoryFreeBytes, os, cpuModel, version, outOfDate}; paused is the reason or null, version null where a host says none",
  }).action(async (options: CommonOptions) => {
    const rows = await withClient(options, (client) => client.request("hosts", {}));
    rows.sort((a, b) => Number(b.online) - Number(a.online) || (a.name < b.name ? -1 : 1));
    if (options.json) return printJson(rows);
    if (rows.length === 0) return write(process.stdout, "No hosts yet. Add one with `nightshift agent --join LINK`.\n");
    return write(process.stdout, renderTable(hostColumns(paintFor(process.stdout)), rows));
  });
}

export function hostColumns(paint: Paint): Column<HostRow>[] {
  return [
    { head: "HOST", value: (row) => row.name },
    { head: "STATE", value: hostState, paint: (cell, row) => hostColour(paint, row)(cell) },
    { head: "SLOTS", align: "right", value: (row) => String(row.slots) },
    { head: "RUNNING", align: "right", value: (row) => String(row.running) },
    { head: "READY", align: "right", value: (row) => String(row.runnable) },
    { head: "WAITING", align: "right", value: (row) => String(row.blocked) },
    { head: "SPEED", align: "right", value: (row) => (row.speed === 0 ? "-" : row.speed.toFixed(0)) },
    { head: "FREE MEMORY", align: "right", value: (row) => `${showBytes(row.memoryFreeBytes)} of ${showBytes(row.memoryBytes)}` },
    { head: "VERSION", value: hostVersion, paint: (cell, row) => (row.outOfDate ? paint.yellow(cell) : cell) },
    { head: "SYSTEM", value: (row) => row.os },
    { head: "PROCESSOR", value: (row) => row.cpuModel },
  ];
}

/** With what administrators have said of it. */
export function hostState({ online, paused, drained, stay, block }: StateOf): string {
  const state = !online ? "offline" : drained ? "kept clear" : paused === null ? "online" : `paused: ${paused}`;
  return [state, ...(stay ? ["stay"] : []), ...(block ? ["block"] : [])].join(", ");
}

export const hostVersion = ({ version, outOfDate }: Pick<HostRow, "version" | "outOfDate">): string =>
  version === null ? "-" : `${version}${outOfDate ? " (out of date)" : ""}`;

export function hostColour(paint: Paint, { online, paused, drained, block }: StateOf): (text: string) => string {
  if (!online) return paint.dim;
  return paused === null && !drained && !block ? paint.green : paint.yellow;
}
