// The page of `nightshift bench browser`: times one kernel in a worker of its own. Compiling is not counted, as far as browsers compile
// before a function is called.
import { controlOf, type ProcessControl } from "@nightshift/agent-app/agent";
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

/** As a host runs a process: the first one of the program, and the next one in the same thread, when the engine has done for it what it does. */
async function hosted({ module, args }: KernelOrder): Promise<Hosted> {
  let output = "";
  let control: ProcessControl | undefined;
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
  const run = async (pid: number): Promise<Timed> => {
    const [key, hash] = [`${pid}.1`, "0".repeat(64)];
    output = "";
    const { control: memory } = await worker.api.start({
      ...{ key, pid, parentPid: 0, programHash: hash, images: [], imageHash: null, files: new Map() },
      ...{ programBytes: loaded.bytes, module: loaded.module },
      spec: { program: hash, args, env: {}, files: {}, memoryLimitBytes: 2 ** 30, cpuLimitMs: 0, clock: "virtual", seed: "1" },
    });
    control = controlOf(worker.api, key, memory);
    const began = performance.now();
    let { end } = await worker.api.run(key);
    while (end.kind === "waiting") {
      await worker.api.complete(key, { value: 0 });
      ({ end } = await worker.api.run(key));
    }
    const seconds = (performance.now() - began) / 1000;
    await worker.api.clear(key);
    return end.kind === "exit" ? { seconds, output } : { fault: JSON.stringify(end) };
  };
  try {
    const runs = async (): Promise<[Timed, Timed]> => [await run(1), await run(2)];
    const [first, next] = await Promise.race([runs(), died.promise]);
    return "fault" in next ? next : { ...next, ...first, warm: next.seconds };
  } finally {
    worker.terminate();
  }
}

Object.assign(globalThis, { ready: true, alone, hosted });
