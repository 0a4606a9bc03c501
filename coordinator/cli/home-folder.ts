// Where NIGHTSHIFT_HOME is. By itself, so that commands that need nothing else start at once.
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Absolute path of the state directory: NIGHTSHIFT_HOME, or ~/.nightshift. */
export function nightshiftHome(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env.NIGHTSHIFT_HOME || join(homedir(), ".nightshift"));
}
