// What a program of one's own is measured with beside its arguments: stdin and the files it finds.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { collectFiles } from "../job-files.ts";

/** Absolute paths; null: it gets none. */
export interface InputPaths {
  stdin: string | null;
  folder: string | null;
}

export const NO_INPUT: InputPaths = { stdin: null, folder: null };

/** @throws NS_BAD_FILE, NS_LIMIT */
export async function readInput({ stdin, folder }: InputPaths): Promise<{ stdin: Uint8Array; files: Map<string, Uint8Array> }> {
  const paths = folder === null ? [] : [...(await collectFiles(folder)).keys()];
  return {
    stdin: stdin === null ? new Uint8Array(0) : new Uint8Array(readFileSync(stdin)),
    files: new Map(paths.map((path) => [path, new Uint8Array(readFileSync(join(folder ?? "", path)))])),
  };
}
