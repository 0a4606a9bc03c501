// What a process has written, and how much of that is still under way: with much of it the process waits.
import { CONTROL } from "../instrument/index.ts";
import type { ProcessOptions } from "./process.ts";

/** A process that has written this much more than was taken over waits. */
const MAX_UNDERWAY = 4 * 2 ** 20;

export class Output {
  /** Bytes of stdout and stderr so far. */
  readonly written = { 1: 0, 2: 0 };
  private readonly tell: ProcessOptions["onOutput"];
  private readonly control: () => ArrayBufferLike;

  /** @param control the memory in which others note what they have taken over (acknowledgeOutput) */
  constructor(tell: ProcessOptions["onOutput"], control: () => ArrayBufferLike) {
    this.tell = tell;
    this.control = control;
  }

  write(stream: 1 | 2, bytes: Uint8Array): void {
    const offset = this.written[stream];
    this.written[stream] += bytes.length;
    this.tell(stream, offset, bytes);
  }

  get mayWrite(): boolean {
    const taken = Atomics.load(new Int32Array(this.control()), CONTROL.outputTaken >> 2);
    return ((this.written[1] + this.written[2] - taken) | 0) < MAX_UNDERWAY;
  }
}
