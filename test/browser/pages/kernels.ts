// The page of `nightshift bench browser`: times one kernel in a worker of its own. Compiling is not counted, as far as browsers compile
// before a function is called.
import { controlOf, type ProcessControl, type RunEnd } from "@nightshift/agent-app/agent";
import { loadForBrowserWorkers, spawnBrowserWorker } from "@nightshift/agent-app/worker/browser";

export interface KernelOrder {
  module: Uint8Array<ArrayBuffer>;
  /** Else the module is plain. */
  migratable: boolean;
  args: string[];
}

/** A browser's worker has about 1 MB of native stack, which not every program gets along with. */
export type Timed = { seconds: number; output: string } | { fault: string };

/** `warm`: seconds of the second process. */
export type Hosted = { seconds: number; warm: number; output: string } | { fault: string };

async function alone(order: KernelOrder): Promise<Timed> {
  const worker = new Worker(new URL("./kernels.worker.ts", import.meta.url), { type: "module" });
  try {
    return await new Promise<Timed>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Timed>) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(order);
    });
  } finally {
    worker.terminate();
  }
}

/** A thread that has the module, and its processes one after the other, as a host has them. */
async function hostedThread({ module, args }: KernelOrder) {
  let output = "";
  let control: ProcessControl | undefined;
  let pid = 0;
  const died = Promise.withResolvers<never>();
  const decoder = new TextDecoder();
  const worker = spawnBrowserWorker({
    output: (_key, _stream, _offset, bytes) => {
      output += decoder.decode(bytes, { stream: true });
      control?.outputTaken(bytes.length);
    },
    pipeClosed: () => undefined,
    died: (error) => died.reject(error),
  });
  const loaded = await loadForBrowserWorkers(module);
  return {
    died: died.promise,
    output: () => output,
    terminate: () => worker.terminate(),
    clear: (key: number) => worker.api.clear(key),
    /** @returns its key, and what stops it */
    start: async (): Promise<{ key: number; control: ProcessControl }> => {
      const [key, hash] = [++pid, "0".repeat(64)];
      output = "";
      const { control: memory } = await worker.api.start({
        ...{ key, pid, parentPid: 0, programHash: hash, images: [], imageHash: null, files: new Map() },
        ...{ programBytes: loaded.bytes, module: loaded.module },
        spec: { program: hash, args, env: {}, files: {}, memoryLimitBytes: 2 ** 30, cpuLimitMs: 0, clock: "virtual", seed: "1" },
      });
      control = controlOf(worker.api, key, memory);
      return { key, control };
    },
    /** Until it ends, or has been stopped. */
    run: async (key: number): Promise<RunEnd> => {
      let { end } = await worker.api.run(key);
      while (end.kind === "waiting") {
        await worker.api.complete(key, { value: 0 });
        ({ end } = await worker.api.run(key));
      }
      return end;
    },
  };
}

/** As a host runs a process: the first one of the program, and the next one in the same thread, when the engine has done for it what it does. */
async function hosted(order: KernelOrder): Promise<Hosted> {
  const thread = await hostedThread(order);
  const run = async (): Promise<Timed> => {
    const { key } = await thread.start();
    const began = performance.now();
    const end = await thread.run(key);
    const seconds = (performance.now() - began) / 1000;
    await thread.clear(key);
    return end.kind === "exit" ? { seconds, output: thread.output() } : { fault: JSON.stringify(end) };
  };
  try {
    const runs = async (): Promise<[Timed, Timed]> => [await run(), await run()];
    const [first, next] = await Promise.race([runs(), thread.died]);
    return "fault" in next ? next : { ...next, ...first, warm: next.seconds };
  } finally {
    thread.terminate();
  }
}

const LEAST_MS = 20;
const MORE_MS = 60;

/** Stops the program again and again, each time after a while; begins anew when it ends. @returns milliseconds from the word to the stop */
async function stops({ order, samples }: { order: KernelOrder; samples: number }): Promise<number[]> {
  const thread = await hostedThread(order);
  const found: number[] = [];
  const measure = async (): Promise<void> => {
    let { key, control } = await thread.start();
    while (found.length < samples) {
      let asked = 0;
      const timer = setTimeout(
        () => {
          asked = performance.now();
          control.stop();
        },
        LEAST_MS + MORE_MS * Math.random(),
      );
      const end = await thread.run(key);
      if (end.kind === "preempted" && asked > 0) found.push(performance.now() - asked);
      if (end.kind === "preempted") continue;
      clearTimeout(timer);
      await thread.clear(key);
      if (end.kind !== "exit") throw new Error(`the program failed: ${JSON.stringify(end)}`);
      ({ key, control } = await thread.start());
    }
  };
  try {
    await Promise.race([measure(), thread.died]);
    return found;
  } finally {
    thread.terminate();
  }
}

Object.assign(globalThis, { ready: true, alone, hosted, stops });
