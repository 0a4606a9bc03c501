// Finds programs that tests drive.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const SUFFIX = process.platform === "win32" ? ".exe" : "";

/**
 * @param variable of the environment, which names it in any case
 * @param names of which the first on the PATH is taken
 */
export function installed(variable: string, names: readonly string[]): string | undefined {
  const named = process.env[variable];
  if (named) return named;
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name + SUFFIX))).find(existsSync);
}
