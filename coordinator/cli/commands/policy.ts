// `nightshift policy show|set|undo`: what hosts may do and when, for all of them, by tag, or for one; they obey at once.
import { readFileSync } from "node:fs";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Command, Option } from "commander";
import type { Result } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { parseCount } from "../quantities.ts";
import { type Column, renderTable } from "../table.ts";
import { printJson, write } from "../terminal.ts";

type Policy = Result<"policyShow">[number];
type Options = CommonOptions & { for: string };

const PREVIEW_JSON = "{policy: null, hosts, preview: {changed, listed: [{name, changes: [{setting, from, to, locked}]}]}}";
const forWhom = (): Option => new Option("--for <scope>", "all, tag:NAME or host:NAME").default("all");

export function policyCommand(): Command {
  const show = declare({
    usage: "show",
    description: "list the policies, or print one",
    examples: ["nightshift policy show", "nightshift policy show --for tag:library > library.json"],
    json: "an array of {version, scope, name, at, who, document}: the newest of each, or with --for all versions of one, newest first",
  })
    .option("--for <scope>", "only this one, as a file: all, tag:NAME or host:NAME")
    .option("--versions", "list its versions instead")
    .action(async (options: CommonOptions & { for?: string; versions?: boolean }) => {
      const scope = options.for ?? (options.versions ? "all" : null);
      const found = await withClient(options, (client) => client.request("policyShow", { scope }));
      if (options.json) return printJson(found);
      const [newest] = found;
      if (!newest) return write(process.stdout, `There is no policy${scope === null ? "" : ` for ${scope}`} yet.\n`);
      if (options.for !== undefined && !options.versions)
        return write(process.stdout, `${JSON.stringify(newest.document, null, 2)}\n`);
      return write(process.stdout, renderTable(COLUMNS, found));
    });
  const set = declare({
    usage: "set <file>",
    description: "have hosts obey this policy; the file - reads it from stdin",
    examples: [
      "nightshift policy set library.json --for tag:library",
      "nightshift policy set library.json --for tag:library --preview",
    ],
    notes: "The file has the form of an administrator's policy file; docs/POLICY.md has every setting and what wins over what.",
    json: `{policy: {version, scope, name, at, who, document}, hosts, preview: null}; with --preview ${PREVIEW_JSON}`,
  })
    .addOption(forWhom())
    .option("--preview", "change nothing: say whom it would affect and how")
    .action(async (file: string, options: Options & { preview?: boolean }) => {
      const document = readDocument(file);
      const params = { scope: options.for, document, preview: options.preview ?? false };
      const { policy, hosts, preview } = await withClient(options, (client) => client.request("policySet", params));
      if (options.json) return printJson({ policy, hosts, preview });
      if (policy) return write(process.stdout, told(policy, hosts));
      const lines = (preview?.listed ?? []).map(
        ({ name, changes }) => `${name}: ${changes.map(change).join("; ") || "nothing"}\n`,
      );
      return write(
        process.stdout,
        `It would hold for ${hosts} hosts and change ${preview?.changed ?? 0} of them.\n${lines.join("")}`,
      );
    });
  const undo = declare({
    usage: "undo",
    description: "make a new version that says what an old one said",
    examples: ["nightshift policy undo --for tag:library", "nightshift policy undo --for all --to 3"],
    json: "{policy: {version, scope, name, at, who, document}, hosts}",
  })
    .addOption(forWhom())
    .option("--to <version>", "the old version (default: the one before the newest)")
    .action(async (options: Options & { to?: string }) => {
      const version = options.to === undefined ? null : parseCount(options.to, "--to", 1, Number.MAX_SAFE_INTEGER);
      const made = await withClient(options, (client) => client.request("policyUndo", { scope: options.for, version }));
      if (options.json) return printJson(made);
      return write(process.stdout, told(made.policy, made.hosts));
    });
  const policy = new Command("policy").description("what hosts may do and when: look, change, undo");
  for (const command of [show, set, undo]) policy.addCommand(command);
  return policy;
}

const COLUMNS: Column<Policy>[] = [
  { head: "FOR", value: ({ name }) => name },
  { head: "VERSION", align: "right", value: ({ version }) => String(version) },
  { head: "SINCE", value: ({ at }) => new Date(at).toLocaleString() },
  { head: "BY", value: ({ who }) => who },
  { head: "LOCKED", value: ({ document }) => inLine(document.locked) },
  { head: "DEFAULTS", value: ({ document }) => inLine(document.defaults) },
];

const inLine = (settings: unknown): string =>
  Object.entries(settings ?? {})
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(" ") || "-";

const told = ({ version, name }: Policy, hosts: number): string => `Version ${version}, for ${name}: holds for ${hosts} hosts\n`;

type Change = NonNullable<Result<"policySet">["preview"]>["listed"][number]["changes"][number];
const change = ({ setting, from, to, locked }: Change): string =>
  `${setting} ${JSON.stringify(from)} -> ${JSON.stringify(to)}${locked ? " (locked)" : ""}`;

/** @throws NS_BAD_FILE, NS_BAD_POLICY */
function readDocument(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (cause) {
    throw new NightshiftError("NS_BAD_FILE", `${file} cannot be read: ${asNightshiftError(cause).message}`, { cause });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw new NightshiftError("NS_BAD_POLICY", `${file} is not JSON: ${asNightshiftError(cause).message}`, { cause });
  }
  throw new NightshiftError("NS_BAD_POLICY", `${file} must hold one JSON object`);
}
