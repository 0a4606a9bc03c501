// One instance of a program: its memories, its exports, and the continuations linked to it. Making one costs address space, page faults
// and work for the engine's collector, so an instance whose process has left is put back to the state of a new one and used again.
import { CONTINUE_EXPORT, CONTROL, exportName, functionNamed, PROGRAM_MODULE, type Site } from "../instrument/index.ts";
import { clearPages, writePages } from "./memory.ts";
import { type PageScan, pageScan } from "./page-scan.ts";
import type { Program } from "./program.ts";

/** Whoever uses the instance at the moment: answers the host calls the program makes. */
export interface Owner {
  hostCall(module: string, name: string, args: (number | bigint)[]): number;
}

export class ProgramInstance {
  readonly exports: WebAssembly.Exports;
  readonly memory: WebAssembly.Memory;
  readonly control: WebAssembly.Memory;
  readonly unwind: WebAssembly.Tag;
  /** Mutable globals of the program, in index order. */
  readonly globals: readonly WebAssembly.Global[];
  readonly scan: PageScan;
  owner: Owner | undefined;
  private readonly program: Program;
  private readonly imports: WebAssembly.Imports = {};
  private readonly continuations = new Map<number, () => void>();
  private readonly memoryBytes: number;
  private readonly controlBytes: number;

  constructor(program: Program) {
    this.program = program;
    const imported = program.migratable.module.importedFunctions;
    for (const { module, name } of imported) {
      this.imports[module] ??= {};
      this.imports[module][name] = (...args: (number | bigint)[]) => (this.owner as Owner).hostCall(module, name, args);
    }
    this.exports = new WebAssembly.Instance(program.module, this.imports).exports;
    const functions = this.exports[exportName.functions] as WebAssembly.Table;
    // What continuations import from here: exports, and functions by number.
    this.imports[PROGRAM_MODULE] = new Proxy(this.exports as WebAssembly.ModuleImports, {
      get: (exports, name) => {
        const func = functionNamed(String(name));
        return Number.isNaN(func) ? Reflect.get(exports, name) : functions.get(func - imported.length);
      },
    });
    this.memory = this.exports.memory as WebAssembly.Memory;
    this.control = this.exports[exportName.control] as WebAssembly.Memory;
    this.unwind = this.exports[exportName.unwind] as unknown as WebAssembly.Tag;
    this.globals = program.migratable.module.globals.flatMap((global, index) =>
      global.mutable && !global.imported ? [this.exports[exportName.global(index)] as WebAssembly.Global] : [],
    );
    this.scan = pageScan(this.memory);
    this.memoryBytes = this.memory.buffer.byteLength;
    this.controlBytes = this.control.buffer.byteLength;
    this.prepareControl();
  }

  private prepareControl(): void {
    new Int32Array(this.control.buffer)[CONTROL.framePointer >> 2] = CONTROL.frames;
  }

  /** As new; false when that is not possible, because a memory has grown. */
  reset(): boolean {
    this.owner = undefined;
    if (this.memory.buffer.byteLength !== this.memoryBytes || this.control.buffer.byteLength !== this.controlBytes) return false;
    clearPages(this.memory, this.scan);
    writePages(this.memory, this.program.fresh.pages);
    new Uint8Array(this.control.buffer).fill(0);
    this.prepareControl();
    this.globals.forEach((global, index) => {
      global.value = this.program.fresh.globals[index];
    });
    return true;
  }

  /** What resumes a frame saved at the site. */
  continuation(site: Site): () => void {
    let resume = this.continuations.get(site.id);
    if (!resume) {
      const instance = new WebAssembly.Instance(this.program.continuation(site), this.imports);
      resume = instance.exports[CONTINUE_EXPORT] as () => void;
      this.continuations.set(site.id, resume);
    }
    return resume;
  }
}
