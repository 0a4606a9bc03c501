// An example of the package: a plain WASI module is made migratable, stopped in the middle of its work, turned into bytes, and continued
// from them in another instance. It uses nothing of Node but to compile the program. Prints what the program prints.
import { acknowledgeOutput, decodeImage, encodeImage, instrument, Process, Program, requestStop } from "@nightshift/wasm-kernels";
import { programNamed } from "@nightshift/wasm-kernels/programs";
import { compile } from "@nightshift/wasm-kernels/toolchain";

const { wasm } = await compile({ sources: [programNamed("fibonacci").source] });
const migratable = instrument(new Uint8Array(wasm)).wasm;
const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", migratable));
const program = new Program(Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""), migratable);

let running: Process;
const options = {
  program,
  pid: 1,
  parentPid: 0,
  seed: "1",
  args: ["fibonacci", "27"],
  env: {},
  files: new Map<string, Uint8Array>(),
  clock: "virtual" as const,
  memoryLimitBytes: 64 * 2 ** 20,
  now: () => Date.now(),
  cpuNow: () => performance.now(),
  onOutput: (_stream: 1 | 2, _offset: number, bytes: Uint8Array) => {
    acknowledgeOutput(running.control, bytes.length);
    console.log(new TextDecoder().decode(bytes).trimEnd());
  },
  onPipeClosed: () => undefined,
};

running = Process.start(options);
requestStop(running.control); // any thread may do this at any time; the process stops at its next poll
let stop = running.run();
while (stop.kind === "preempted") {
  const bytes = encodeImage(running.capture(false)); // to a file, another thread, or another machine
  console.log(`stopped: an image of ${bytes.length} bytes`);
  running = Process.restore(options, decodeImage(bytes), null);
  stop = running.run();
}
console.log(stop.kind === "exit" ? `exit ${stop.code}` : `ended: ${stop.kind}`);
