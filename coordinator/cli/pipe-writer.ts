// A program's bytes to stdout or stderr. Node writes to pipes synchronously, so a reader that does not read (`| less`) would stop this
// whole process, and the coordinator would take it for dead. Here pipes are written to as they take bytes, without waiting in line.
import { fstatSync, write } from "node:fs";
import { Writable } from "node:stream";

const RETRY_MIN_MS = 1;
const RETRY_MAX_MS = 50;

/** Those in use, so that the end of the command can wait for them. */
export const pipeWriters: Writable[] = [];

/** Where bytes for stdout (1) or stderr (2) go. An error of it is reported as the standard stream's. */
export function byteStream(fd: 1 | 2): Writable {
  const standard = fd === 1 ? process.stdout : process.stderr;
  if (process.platform === "win32" || !isFifo(fd)) return standard;
  const stream = new PipeWriter(fd);
  stream.on("error", (error) => void standard.emit("error", error));
  pipeWriters.push(stream);
  return stream;
}

function isFifo(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO();
  } catch {
    return false; // closed
  }
}

class PipeWriter extends Writable {
  readonly #fd: number;

  constructor(fd: number) {
    super();
    this.#fd = fd;
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    let at = 0;
    let delayMs = RETRY_MIN_MS;
    const next = (): void => {
      write(this.#fd, chunk, at, chunk.length - at, null, (error, written) => {
        // Full, and not to be waited for: whoever opened the pipe, or Node itself, has made it so.
        if (error?.code === "EAGAIN") {
          setTimeout(next, delayMs);
          delayMs = Math.min(RETRY_MAX_MS, delayMs * 2);
          return;
        }
        if (error) return done(error);
        at += written;
        delayMs = RETRY_MIN_MS;
        if (at < chunk.length) next();
        else done();
      });
    };
    next();
  }
}
