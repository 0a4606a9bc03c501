// Programs as this host has them, each for all its threads.
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import { pinnedBecause } from "@nightshift/wasm-kernels/process";
import type { Ports } from "./ports.ts";

export interface LoadedProgram {
  bytes: Uint8Array;
  /** undefined: it is pinned, and compiled in the thread of each of its processes, as they may have other limits. */
  module: WebAssembly.Module | undefined;
}

/** In memory that threads share: sent to a worker with every process of the program, it is not copied. */
export async function loadShared(bytes: Uint8Array<ArrayBuffer>): Promise<LoadedProgram> {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return { bytes: shared, module: await WebAssembly.compile(bytes) };
}

/** Bytes of programs without a process here that are kept, as another may come; the one that was wanted last in any case. */
const MAX_IDLE_BYTES = 8 * 2 ** 20;

/** What this host has fetched and compiled. Compiled code takes several times the memory of a program, so what nobody needs does not stay. */
export class Programs {
  private readonly ports: Ports;
  private readonly fetch: (hash: string) => Promise<Uint8Array<ArrayBuffer>>;
  private readonly used: () => ReadonlySet<string>;
  /** The one that was wanted last is the last. */
  private readonly all = new Map<string, { loading: Promise<LoadedProgram>; sizeBytes: number }>();

  /** @param fetch its bytes, by their hash @param used of which there are processes here */
  constructor(ports: Ports, fetch: (hash: string) => Promise<Uint8Array<ArrayBuffer>>, used: () => ReadonlySet<string>) {
    this.ports = ports;
    this.fetch = fetch;
    this.used = used;
  }

  load(hash: string): Promise<LoadedProgram> {
    let program = this.all.get(hash);
    if (program) this.all.delete(hash);
    else program = this.loading(hash);
    this.all.set(hash, program);
    return program.loading;
  }

  /** Lets go of programs without a process here. @param keepBytes so much of them may stay; 0: nothing does */
  trim(keepBytes: number = MAX_IDLE_BYTES): void {
    const used = this.used();
    let newer = 0;
    for (const [hash, { sizeBytes }] of [...this.all].reverse()) {
      if (used.has(hash)) continue;
      if (newer >= keepBytes) this.all.delete(hash);
      newer += sizeBytes;
    }
  }

  private loading(hash: string): { loading: Promise<LoadedProgram>; sizeBytes: number } {
    const loading = this.bytes(hash).then((bytes) => {
      program.sizeBytes = bytes.length;
      this.trim();
      return pinnedBecause(bytes) === undefined ? this.ports.load(bytes) : { bytes, module: undefined };
    });
    const program = { loading, sizeBytes: 0 };
    loading.catch(() => {
      if (this.all.get(hash) === program) this.all.delete(hash);
    });
    return program;
  }

  private async bytes(hash: string): Promise<Uint8Array<ArrayBuffer>> {
    const { kept, log } = this.ports;
    const failed = (thrown: unknown): undefined => {
      log("not-kept", { message: asNightshiftError(thrown).message });
    };
    const found = await kept?.get(hash).catch(failed);
    if (found && (await this.ports.hash(found)) === hash) return found;
    const bytes = await this.fetch(hash);
    void kept?.put(hash, bytes).catch(failed);
    return bytes;
  }
}
