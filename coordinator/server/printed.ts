// What a process has printed so far, for the host that has it now and shows it: it may have come in the middle of a picture. Told only of jobs whose
// submitter wants them shown, and only to the host that holds the process, which could have been sent it as an image anyway.
import { type FromAgent, MAX_DATA_BYTES, type ToAgent } from "../protocol/index.ts";
import { partKey } from "../scheduler/index.ts";
import type { Coordinator } from "./coordinator.ts";

type Asked = Extract<FromAgent, { type: "askPrinted" }>;
type Printed = Extract<ToAgent, { type: "printed" }>;

/** Answers when what was acknowledged is stored, so that answer and acknowledgements leave nothing out. @param host its key */
export function tellPrinted(
  coordinator: Coordinator,
  host: string,
  { pid, epoch, offset }: Asked,
  tell: (printed: Printed) => void,
): void {
  coordinator.whenStored(() => {
    const { core, store } = coordinator;
    const process = core.processes.get(pid);
    if (process?.host !== host || process.epoch !== epoch) return;
    const job = core.jobs.get(process.job);
    if (job?.spec.show === undefined) return;
    const end = process.outputBytes;
    // Output is stored by its place in the part's. That is the process's own, which begins with what its parent had printed before the fork, as long as no
    // other process of the part has printed anything since.
    const alone = core.part(process.job, process.part).stdoutBytes === end;
    if (!alone) return tell({ type: "printed", pid, epoch, offset: end, bytes: new Uint8Array(0), end });
    const { chunks } = store.output(partKey(process.job, process.part), 1, offset, MAX_DATA_BYTES, null);
    const bytes = Buffer.concat(chunks.map((chunk) => chunk.bytes)).subarray(0, MAX_DATA_BYTES);
    tell({ type: "printed", pid, epoch, offset: Math.min(offset, end), bytes: new Uint8Array(bytes), end });
  });
}
