// The page of `nightshift bench browser`: times one kernel in a worker of its own. Compiling is not counted, as far as browsers compile
// before a function is called.
import { spawnBrowserWorker } from "@nightshift/agent-app/worker/browser";
import { acknowledgeOutput } from "@nightshift/wasm-kernels/process";

export interface KernelOrder {
  module: Uint8Array<ArrayBuffer>;
  /** Else the module is plain. */
  migratable: boolean;
  args: string[];
}

/** A browser's worker has about 1 MB of native stack, which not every program gets along with. */
export type Timed = { seconds: number; output: string } | { fault: string };

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

/** As a host runs a process. */
async function hosted({ module, args }: KernelOrder): Promise<Timed> {
  const [key, hash] = ["1.1", "0".repeat(64)];
  const decoder = new TextDecoder();
  let output = "";
  let control: SharedArrayBuffer | null = null;
  const worker = spawnBrowserWorker({
    output: (_key, _stream, _offset, bytes) => {
      output += decoder.decode(bytes, { stream: true });
      if (control) acknowledgeOutput(control, bytes.length);
    },
    pipeClosed: () => undefined,
    died: (error) => console.error(error.message),
  });
  const programBytes = new Uint8Array(new SharedArrayBuffer(module.length));
  programBytes.set(module);
  ({ control } = await worker.api.start({
    ...{ key, pid: 1, parentPid: 0, programHash: hash, programBytes, images: [], imageHash: null, files: new Map() },
    module: await WebAssembly.compile(module),
    spec: { program: hash, args, env: {}, files: {}, memoryLimitBytes: 2 ** 30, cpuLimitMs: 0, clock: "virtual", seed: "1" },
  }));
  const began = performance.now();
  let { end } = await worker.api.run(key);
  while (end.kind === "waiting") {
    await worker.api.complete(key, { value: 0 });
    ({ end } = await worker.api.run(key));
  }
  const seconds = (performance.now() - began) / 1000;
  worker.terminate();
  return end.kind === "exit" ? { seconds, output } : { fault: JSON.stringify(end) };
}

Object.assign(globalThis, { ready: true, alone, hosted });
