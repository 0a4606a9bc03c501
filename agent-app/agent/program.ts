// A program as this host has it, for all its threads.
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
