// The folders of a job that runs here (`exec --dir HOST[::GUEST]`): their files go into the job before it begins, and what it wrote below
// GUEST comes back to HOST when it ends. Paths a program, or a checkpoint from elsewhere, has made up never lead out of HOST.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { collectFiles, safeParts, writeBack } from "./job-files.ts";
import { errorText } from "./outcome.ts";

export interface LocalFolder {
  /** Absolute. */
  host: string;
  /** Where the program sees it: "" is the program's working directory, else a path below it without slashes at its ends. */
  guest: string;
}

/** "data", "data::", "data::in/data". NS_USAGE for a GUEST that leads out of the program's directory, or one given twice. */
export function parseFolders(given: readonly string[]): LocalFolder[] {
  const folders = given.map((text): LocalFolder => {
    const at = text.indexOf("::");
    const host = at < 0 ? text : text.slice(0, at);
    const parts = (at < 0 ? "" : text.slice(at + 2)).split("/").filter((part) => part !== "" && part !== ".");
    if (host === "" || parts.includes(".."))
      throw new NightshiftError("NS_USAGE", `--dir ${text} must look like HOST or HOST::GUEST`);
    if (parts.length > 0) safeParts(parts.join("/"));
    return { host: resolve(host), guest: parts.join("/") };
  });
  const twice = folders.find(({ guest }, at) => folders.findIndex((other) => other.guest === guest) !== at);
  if (twice)
    throw new NightshiftError(
      "NS_USAGE",
      `two folders are given for the same place: ${twice.guest || "the program's directory"}`,
    );
  return folders;
}

/** All files, by the path at which the program sees them. A folder given later hides what an earlier one has at its place. */
export async function readFolders(folders: readonly LocalFolder[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const { host, guest } of folders) {
    for (const path of (await collectFiles(host)).keys()) {
      const bytes = await readFile(join(host, path)).catch((cause: Error) => {
        throw new NightshiftError("NS_BAD_FILE", `Cannot read ${join(host, path)}: ${cause.message}`, { cause });
      });
      files.set(guest === "" ? path : `${guest}/${path}`, new Uint8Array(bytes));
    }
  }
  return files;
}

/**
 * Writes what the job wrote; removed files stay. One that cannot be written is told, and the others are written all the same.
 * @returns whether all that belongs into a folder has been written
 */
export async function writeFolders(
  folders: readonly LocalFolder[],
  written: ReadonlyMap<string, Uint8Array | null>,
): Promise<boolean> {
  let complete = true;
  for (const [path, bytes] of written) {
    const folder = folderOf(folders, path);
    if (!folder || bytes === null) continue;
    try {
      await writeBack(folder.host, folder.guest === "" ? path : path.slice(folder.guest.length + 1), bytes);
    } catch (thrown) {
      complete = false;
      process.stderr.write(errorText(thrown));
    }
  }
  return complete;
}

/** That with the longest GUEST the path lies in. */
function folderOf(folders: readonly LocalFolder[], path: string): LocalFolder | undefined {
  return folders
    .filter(({ guest }) => guest === "" || path.startsWith(`${guest}/`))
    .sort((a, b) => b.guest.length - a.guest.length)[0];
}
