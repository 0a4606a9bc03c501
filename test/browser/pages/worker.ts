// The page of the browser's worker: has a process start in one worker, stop, and go on from its image in another.
import { controlOf, type ProcessControl, type StartOrder, type WorkerHandle } from "@nightshift/agent-app/agent";
import { loadForBrowserWorkers, spawnBrowserWorker } from "@nightshift/agent-app/worker/browser";
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import { CONTROL } from "@nightshift/wasm-kernels/instrument";
import { requestRenewal } from "@nightshift/wasm-kernels/process";

export interface Carry {
  program: Uint8Array<ArrayBuffer>;
  hash: string;
  args: string[];
  /** Milliseconds after which each worker but the last is asked to stop its process. */
  stops: number[];
  /** Milliseconds between renewals asked for from here, beside the worker's own. */
  renewEveryMs?: number;
}

export interface Carried {
  output: { 1: string; 2: string };
  /** How many times the agent was given output. */
  outputs: number;
  /** How each worker's run ended. */
  ends: string[];
  imageBytes: number[];
  /** Whether a continuation has run in the last worker, which has begun the process only if there were no stops. */
  continued: boolean;
}

/** Names the process in its worker. */
const key = 1;

async function order({ program, hash, args }: Carry, images: Uint8Array<ArrayBuffer>[]): Promise<StartOrder> {
  const loaded = await loadForBrowserWorkers(program);
  return {
    ...{ key, pid: 1, parentPid: 0, programHash: hash, images, imageHash: null, files: new Map() },
    programBytes: loaded.bytes,
    module: loaded.module,
    spec: { program: hash, args, env: {}, files: {}, memoryLimitBytes: 2 ** 28, cpuLimitMs: 0, clock: "virtual", seed: "1" },
  };
}

async function carry(given: Carry): Promise<Carried> {
  const result: Carried = { output: { 1: "", 2: "" }, outputs: 0, ends: [], imageBytes: [], continued: false };
  let images: Uint8Array<ArrayBuffer>[] = [];
  const decoder = new TextDecoder();
  for (const stopAfterMs of [...given.stops, null]) {
    let control: ProcessControl | undefined;
    let died = (_: Error): void => undefined;
    const death = new Promise<never>((_, reject) => {
      died = reject;
    });
    const worker: WorkerHandle = spawnBrowserWorker({
      output: (_key, stream, _offset, bytes) => {
        result.outputs++;
        result.output[stream] += decoder.decode(bytes);
        control?.outputTaken(bytes.length);
      },
      pipeClosed: () => undefined,
      died,
    });
    const work = async (): Promise<string> => {
      const { control: memory } = await worker.api.start(await order(given, images));
      const stopping = controlOf(worker.api, key, memory);
      control = stopping;
      if (stopAfterMs !== null) setTimeout(() => stopping.stop(), stopAfterMs);
      const timer = given.renewEveryMs === undefined ? 0 : setInterval(requestRenewal, given.renewEveryMs, memory);
      for (;;) {
        const { end } = await worker.api.run(key);
        if (end.kind === "waiting") {
          await worker.api.complete(key, { value: 0 });
          continue;
        }
        clearInterval(timer);
        if (end.kind === "preempted") {
          const { bytes } = await worker.api.capture(key, false);
          images = [bytes];
          result.imageBytes.push(bytes.length);
        }
        if (memory) result.continued = new Int32Array(memory)[CONTROL.resumeFrame >> 2] !== 0;
        await worker.api.clear(key);
        return end.kind === "exit" ? `exit ${end.code}` : end.kind === "fault" ? end.code : end.kind;
      }
    };
    const end = await Promise.race([work(), death]);
    worker.terminate();
    result.ends.push(end);
    if (end !== "preempted") break;
  }
  return result;
}

/** The code of the error with which a call to the worker fails. */
async function badImage(given: Carry): Promise<string> {
  const worker = spawnBrowserWorker({ output: () => undefined, pipeClosed: () => undefined, died: () => undefined });
  try {
    await worker.api.start(await order(given, [new Uint8Array(100)]));
    return "";
  } catch (thrown) {
    return asNightshiftError(thrown).code;
  } finally {
    worker.terminate();
  }
}

/** The code of the error with which a program is refused that this browser cannot compile. */
async function unknownInstruction(): Promise<string> {
  const code = [0xff, 0x0b]; // there is no instruction 0xff
  const module = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 3 + code.length, 1, 1 + code.length, 0];
  return loadForBrowserWorkers(Uint8Array.from([...module, ...code])).then(
    () => "",
    (thrown: unknown) => asNightshiftError(thrown).code,
  );
}

Object.assign(globalThis, { ready: true, carry, badImage, unknownInstruction });
