// What processes write, on its way from their thread to the agent. Programs that do not buffer write single bytes, so it is gathered: where
// both share memory in a ring, of which one message tells, elsewhere in the thread until the slice is over.
import { merged, OutputRing, type Written } from "@nightshift/wasm-kernels/process";
import type { Ports } from "../agent/ports.ts";
import type { WorkerSurroundings } from "./process-worker.ts";
import type { Posted } from "./protocol.ts";

/** The agent leaves output in the ring for so long. */
const GATHER_MS = 3;

type Post = (message: Posted) => void;
type ThreadSide = Pick<WorkerSurroundings, "output" | "sliceOver">;

/** The thread's side where memory is shared. */
export function outputThroughRing(post: Post): ThreadSide {
  const ring = new OutputRing();
  const tell = (): void => post({ nightshift: "outputThere", ring: ring.memory });
  return { output: (writer, stream, offset, bytes) => ring.put({ writer, stream, offset, bytes }, tell) };
}

/** The thread's side where it is not. */
export function outputBySlices(post: Post): ThreadSide {
  const writes: Written[] = [];
  return {
    output: (writer, stream, offset, bytes) => void writes.push({ writer, stream, offset, bytes: bytes.slice() }),
    sliceOver: () => {
      for (const write of merged(writes.splice(0))) post({ nightshift: "output", ...write });
    },
  };
}

/** The agent's side of a ring. */
export class OutputTaker {
  private readonly output: Parameters<Ports["spawnWorker"]>[0]["output"];
  private ring: OutputRing | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(output: OutputTaker["output"]) {
    this.output = output;
  }

  /** Something is there. */
  there(memory: SharedArrayBuffer): void {
    this.ring ??= new OutputRing(memory);
    this.timer = setTimeout(() => this.take(), GATHER_MS);
  }

  /** Also to be called before anything else that the thread says is heard, as it was written before. */
  take(): void {
    if (this.timer === undefined) return;
    this.end();
    for (const { writer, stream, offset, bytes } of this.ring?.take() ?? []) this.output(writer, stream, offset, bytes);
  }

  /** Nothing is taken any more. */
  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
