// What all commands share: how one is declared (with an example in its help), the options every one has, and the stdout rule.
import { Command, type Option } from "commander";

export interface CommonOptions {
  coordinator?: string;
  json?: boolean;
}

export interface Declaration {
  /** As typed: "migrate <pid> <host>". */
  usage: string;
  description: string;
  /** Lines that work when pasted. */
  examples: readonly string[];
  /** What --json prints, for the help text; without it the command has none. */
  json?: string;
  /** Further help text. */
  notes?: string;
  /** false: it does not talk to a coordinator. */
  coordinator?: false;
}

export function declare(declaration: Declaration): Command {
  const { usage, description, examples, json, notes } = declaration;
  const [name = "", ...args] = usage.split(" ");
  const command = new Command(name).description(description);
  for (const arg of args) command.argument(arg);
  if (declaration.coordinator !== false)
    command.option("--coordinator <url>", "join link, http://host:port or host:port (default: the one running here)");
  if (json !== undefined) command.option("--json", "print JSON instead of text");
  const parts = [
    `\n${examples.length === 1 ? "Example:" : "Examples:"}\n${examples.map((line) => `  $ ${line}`).join("\n")}`,
    ...(notes === undefined ? [] : [`\n${notes}`]),
    ...(json === undefined ? [] : [`\nWith --json: ${json}`]),
  ];
  return command.addHelpText("after", `${parts.join("\n")}\n`);
}

/** Options that a helper adds next to one another. */
export function addOptions(command: Command, options: readonly Option[]): Command {
  for (const option of options) command.addOption(option);
  return command;
}

/** For options that may be given several times. */
export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** Whose mouth is closed when stdout is: by default the command just ends, as that is what `| head` asks for. With a status it failed otherwise, and was told. */
export const brokenPipe: { handle: (status?: number) => void } = { handle: (status = 0) => process.exit(status) };
