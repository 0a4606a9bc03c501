// The page of the journeys: hands orders to its worker, and sets the flag of a process there after a while.
import { requestStop } from "@nightshift/wasm-kernels/process";
import type { Asked } from "./stage.worker.ts";

type Told =
  | { kind: "ready" }
  | { kind: "running"; control: SharedArrayBuffer }
  | { kind: "done"; result: unknown }
  | { kind: "failed"; message: string };

const worker = new Worker(new URL("./stage.worker.ts", import.meta.url), { type: "module" });
const message = (): Promise<Told> =>
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Told>) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });

/** @param stopAfterMs for a stage that is to be stopped from outside */
async function ask({ asked, stopAfterMs }: { asked: Asked; stopAfterMs: number | null }): Promise<unknown> {
  worker.postMessage({ asked, stopAfterMs });
  for (;;) {
    const told = await message();
    if (told.kind === "done") return told.result;
    if (told.kind === "failed") throw new Error(told.message);
    if (told.kind === "running" && stopAfterMs !== null) setTimeout(requestStop, stopAfterMs, told.control);
  }
}

await message();
Object.assign(globalThis, { ready: true, ask });
