// The bundled sample programs: for each folder beside this file its name, source and argument sets. Compiles and runs nothing.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NightshiftError } from "../errors.ts";

export interface Program {
  /** The folder's name, as people type it. */
  readonly name: string;
  /** One line for lists. */
  readonly description: string;
  /** Absolute path of the C source. */
  readonly source: string;
  /** What it runs with when nothing is said: about half a second. */
  readonly args: readonly string[];
  /** For tests: 0.05 to 0.3 s natively. */
  readonly quickArgs: readonly string[];
  /** For figures: 1 to 3 s natively. */
  readonly benchArgs: readonly string[];
  /** Whether it makes further processes (fork), so that it runs only under Nightshift or natively. */
  readonly forks: boolean;
}

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

function load(name: string): Program {
  const source = join(FOLDER, name, "main.c");
  const { description, args, quickArgs, benchArgs } = JSON.parse(
    readFileSync(join(FOLDER, name, "program.json"), "utf8"),
  ) as Program;
  const forks = /\bfork\(\)/.test(readFileSync(source, "utf8").replaceAll(/\/\*.*?\*\//gs, ""));
  return { name, description, source, args, quickArgs, benchArgs, forks };
}

/** All bundled programs, by name. */
export const programs: readonly Program[] = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort()
  .map(load);

/**
 * The bundled program of that name.
 * @throws NightshiftError NS_SOURCE_NOT_FOUND, listing the names there are
 */
export function programNamed(name: string): Program {
  const found = programs.find((program) => program.name === name);
  if (found !== undefined) return found;
  const names = programs.map((program) => program.name);
  throw new NightshiftError("NS_SOURCE_NOT_FOUND", `There is no bundled program '${name}'; there are ${names.join(", ")}`, {
    details: { name, names },
  });
}
