// What the command writes on and how: colours when a person looks, bytes with backpressure, one line that is overwritten while
// something takes long. A reader that has gone (EPIPE) is not an error.

import type { Writable } from "node:stream";
import { pipeWriters } from "./pipe-writer.ts";

/** The escape sequences, or nothing where nobody sees them. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
  blue(text: string): string;
}

const plain = (text: string): string => text;
const sgr =
  (code: number, end: number) =>
  (text: string): string =>
    `\x1b[${code}m${text}\x1b[${end}m`;
const NO_PAINT: Paint = { bold: plain, dim: plain, green: plain, yellow: plain, red: plain, blue: plain };
const ANSI: Paint = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  red: sgr(31, 39),
  blue: sgr(34, 39),
};

/** Colours only on a terminal, and never when NO_COLOR is set (https://no-color.org) or the terminal is "dumb". */
export function paintFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  return stream.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb" ? ANSI : NO_PAINT;
}

/** Resolves when the stream takes more; also when it has been closed, since nobody waits for what is left then. */
export function write(stream: NodeJS.WriteStream, bytes: Uint8Array | string): Promise<void> {
  if (stream.destroyed || stream.write(bytes)) return Promise.resolve();
  return untilClosedOr(stream, (done) => {
    stream.once("drain", done);
    return () => stream.off("drain", done);
  });
}

/** Waits until everything written has been handed to the system: process.exit() would drop it. */
export async function flush(): Promise<void> {
  await Promise.all([process.stdout, process.stderr, ...pipeWriters].map(flushed));
}

/** @param stream an end of what the command writes */
export function flushed(stream: Writable): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  return untilClosedOr(stream, (done) => {
    stream.write("", () => done());
    return () => undefined;
  });
}

/** Who waits for something of a stream, to be told when it has been closed instead: for all of them it has one pair of listeners. */
const waiting = new WeakMap<Writable, { all: Set<() => void>; closed: () => void }>();

/** Leaves no listener behind: a job with much output waits often, and many at a time. */
function untilClosedOr(stream: Writable, wait: (done: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stop();
      leave(stream, done);
      resolve();
    };
    join(stream, done);
    const stop = wait(done);
  });
}

function join(stream: Writable, done: () => void): void {
  const known = waiting.get(stream);
  if (known) return void known.all.add(done);
  const all = new Set([done]);
  const closed = (): void => {
    for (const one of all) one();
  };
  waiting.set(stream, { all, closed });
  stream.on("close", closed);
  stream.on("error", closed);
}

function leave(stream: Writable, done: () => void): void {
  const known = waiting.get(stream);
  if (!known?.all.delete(done) || known.all.size > 0) return;
  waiting.delete(stream);
  stream.off("close", known.closed);
  stream.off("error", known.closed);
}

/** One stable JSON document and a newline on stdout. */
export function printJson(value: unknown): Promise<void> {
  return write(process.stdout, `${JSON.stringify(value, null, 2)}\n`);
}

/** A line on stderr that tells a person what is going on and then disappears; nothing when stderr is no terminal. */
export class StatusLine {
  readonly #live = process.stderr.isTTY === true;
  #shown = false;

  show(text: string): void {
    if (!this.#live) return;
    const columns = process.stderr.columns ?? 80;
    process.stderr.write(`\r\x1b[2K${text.slice(0, columns - 1)}`);
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) process.stderr.write("\r\x1b[2K");
    this.#shown = false;
  }
}

/** A line that is overwritten on a terminal; elsewhere one line per step, without the figures that change all the time. */
export function progressOn(status: StatusLine, say: (line: string) => void): (text: string) => void {
  if (process.stderr.isTTY) return (text) => status.show(`  ${text} ...`);
  let last = "";
  return (text) => {
    const step = text.replace(/ \(.*/, "");
    if (step !== last) say(`  ${step}`);
    last = step;
  };
}
