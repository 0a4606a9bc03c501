// What can be asked of a process while it computes: through the memory its thread shares with us or, where threads may share none, by messages, which the
// thread hears between two slices.
import { acknowledgeOutput, requestStop } from "@nightshift/wasm-kernels/process";
import type { WorkerApi } from "./ports.ts";

export interface ProcessControl {
  /** It is to stop at its next poll. */
  stop(): void;
  /** So many more bytes of its output have been taken over. */
  outputTaken(bytes: number): void;
}

/** @param memory as WorkerApi.start gave it */
export function controlOf(api: WorkerApi, key: number, memory: SharedArrayBuffer | null): ProcessControl {
  if (memory) return { stop: () => requestStop(memory), outputTaken: (bytes) => acknowledgeOutput(memory, bytes) };
  // A thread that has died is told of elsewhere.
  const ignore = (): void => undefined;
  return {
    stop: () => void api.stop(key).catch(ignore),
    outputTaken: (bytes) => void api.outputTaken(key, bytes).catch(ignore),
  };
}
