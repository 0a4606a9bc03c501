// The sides of `run` that are not output: the folder that goes along and comes back, and what Ctrl-C does.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type RpcClient, severalAtOnce } from "../protocol/index.ts";
import { collectFiles, type FileRef, writeBack } from "./job-files.ts";
import { EXIT, errorText } from "./outcome.ts";
import { sha256 } from "./program-file.ts";
import type { Session } from "./session.ts";

export interface Folder {
  path: string;
  files: ReadonlyMap<string, FileRef>;
}

/** Uploads what the coordinator does not have. NS_BAD_FILE when a file changes meanwhile. */
export async function uploadFolder(client: RpcClient, path: string): Promise<Folder> {
  const files = await collectFiles(path);
  await severalAtOnce(files, async ([name, { hash }]) => {
    const bytes = new Uint8Array(await readFile(join(path, name)));
    if (sha256(bytes) !== hash) throw new NightshiftError("NS_BAD_FILE", `${join(path, name)} changed while it was read`);
    await client.blobs.putBlob(hash, bytes);
  });
  return { path, files };
}

/** Uploads single files. @param files absolute paths by their names in the job @throws NS_BAD_FILE */
export async function uploadFiles(client: RpcClient, files: Readonly<Record<string, string>>): Promise<Map<string, FileRef>> {
  const refs = new Map<string, FileRef>();
  for (const [name, path] of Object.entries(files)) {
    const bytes = await readFile(path).catch((cause: Error) => {
      throw new NightshiftError("NS_BAD_FILE", `Cannot read ${path}: ${cause.message}`, { cause });
    });
    const hash = sha256(bytes);
    await client.blobs.putBlob(hash, bytes);
    refs.set(name, { hash, size: bytes.length });
  }
  return refs;
}

/** Writes the files that the job changed. One that cannot be written is told, and the others are written all the same. */
export async function writeFolderBack(session: Session, job: number, folder: Folder): Promise<void> {
  const { files } = await session.run((client) => client.request("job", { job }));
  await severalAtOnce(Object.entries(files), async ([name, { hash }]) => {
    if (folder.files.get(name)?.hash === hash) return;
    try {
      await writeBack(folder.path, name, await session.run((client) => client.blobs.getBlob(hash)));
    } catch (thrown) {
      process.stderr.write(errorText(thrown));
    }
  });
}

const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

/** Ctrl-C and its relations cancel the job and wait for its end; a second one leaves at once. */
export function takeOver(options: { job: number; cancel(): Promise<unknown> }): {
  status: number | null;
  end(status: number): void;
} {
  const ending = {
    /** The exit status once it is being ended from here. */
    status: null as number | null,
    end(status: number): void {
      if (ending.status !== null) return;
      ending.status = status;
      options.cancel().catch(() => process.exit(status));
    },
  };
  for (const [signal, status] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (ending.status !== null) process.exit(status);
      process.stderr.write(`\nnightshift: cancelling job j${options.job}; once more to leave at once\n`);
      ending.end(status);
    });
  }
  return ending;
}
