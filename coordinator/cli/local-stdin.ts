// stdin for a job that runs here: read only when a process waits for it, so that what the job does not take stays whose it was.
import { createReadStream, fstatSync } from "node:fs";
import type { Readable } from "node:stream";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

export class LocalStdin {
  /** Bytes of a file still to be passed over. */
  #skip: number;
  #opened: Readable | undefined;

  /** @param position how much of the input the job has had before: a file is read from there; a pipe or terminal gives what comes next */
  constructor(position: number) {
    this.#skip = isFile() ? position : 0;
  }

  /** The next bytes; null at the end. */
  async next(): Promise<Uint8Array | null> {
    const stream = this.#open();
    for (;;) {
      const chunk = stream.read() as Buffer | null;
      if (chunk) return new Uint8Array(chunk);
      if (stream.readableEnded || stream.errored || stream.destroyed) return null;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          for (const event of ["readable", "end", "error", "close"]) stream.off(event, done);
          resolve();
        };
        for (const event of ["readable", "end", "error", "close"]) stream.on(event, done);
      });
    }
  }

  /** What has been read from the system already but not been asked for: it would be lost when this process ends. */
  buffered(): Uint8Array {
    return new Uint8Array((this.#opened?.read() as Buffer | null) ?? []);
  }

  #open(): Readable {
    this.#opened ??= this.#skip > 0 ? createReadStream("", { fd: 0, start: this.#skip, autoClose: false }) : process.stdin;
    return this.#opened;
  }
}

function isFile(): boolean {
  try {
    return fstatSync(0).isFile();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EBADF") return false;
    throw new NightshiftError("NS_BAD_FILE", `Cannot read stdin: ${(cause as Error).message}`, { cause });
  }
}
