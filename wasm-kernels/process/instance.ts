// One instance of a program: its memories, its exports, and the continuations linked to it. Making one costs address space, page faults
// and work for the engine's collector, so an instance whose process has left is put back to the state of a new one and used again.
import { must, NightshiftError } from "../errors.ts";
import {
  accessors,
  CONTINUE_EXPORT,
  CONTROL,
  controlModule,
  exportName,
  functionNamed,
  MAX_TABLE_ENTRIES,
  PROGRAM_MODULE,
  type Site,
} from "../instrument/index.ts";
import { FUNCREF, I32, sizeOf } from "../instrument/opcodes.ts";
import type { ImageHeader } from "./image.ts";
import { clearPages, writePages } from "./memory.ts";
import { type PageScan, pageScan } from "./page-scan.ts";
import type { Program } from "./program.ts";

/** Whoever uses the instance at the moment: answers the host calls the program makes. */
export interface Owner {
  hostCall(module: string, name: string, args: (number | bigint)[]): number;
  /** The program has no fuel left (instrument/fuel.ts). @returns not zero: it is to be left */
  outOfFuel(): number;
}

/** `(module (import "" "f" (func (result i32))) (export "f" (func 0)))`: makes a function of JavaScript one that tables take. */
const FOR_TABLES = new WebAssembly.Module(
  new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 2, 6, 1, 0, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0]),
);

/** Compiled at first need. */
let controlBeside: WebAssembly.Module | undefined;

export class ProgramInstance {
  readonly exports: WebAssembly.Exports;
  readonly memory: WebAssembly.Memory;
  readonly control: WebAssembly.Memory;
  readonly unwind: WebAssembly.Tag;
  readonly scan: PageScan;
  owner: Owner | undefined;
  private readonly program: Program;
  private readonly functions: WebAssembly.Table;
  private readonly globalBytes: number;
  /** Mutable globals that refer to functions. */
  private readonly references: readonly number[];
  private readonly resettable: boolean;
  private indices: Map<unknown, number> | undefined;
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
        return Number.isNaN(func) ? Reflect.get(exports, name) : functions.get(func);
      },
    });
    this.memory = this.exports.memory as WebAssembly.Memory;
    this.control = (this.exports[exportName.control] as WebAssembly.Memory | undefined) ?? this.controlBeside(functions);
    this.unwind = this.exports[exportName.unwind] as unknown as WebAssembly.Tag;
    this.functions = functions;
    const { module, facts } = program.migratable;
    if (this.exports[exportName.fuel]) {
      const ask = new WebAssembly.Instance(FOR_TABLES, { "": { f: () => (this.owner as Owner).outOfFuel() } }).exports.f;
      functions.set(module.functionTypes.length, ask);
    }
    this.globalBytes = module.globals.reduce((sum, { type, mutable }) => sum + (mutable ? sizeOf(type) : 0), 0);
    this.references = module.globals.flatMap(({ type, mutable }, index) => (mutable && type === FUNCREF ? [index] : []));
    this.resettable = !facts.drops && facts.tables.length === 0 && this.references.length === 0;
    this.scan = pageScan(this.memory);
    this.memoryBytes = this.memory.buffer.byteLength;
    this.controlBytes = this.control.buffer.byteLength;
    this.prepareControl();
  }

  /** For a program whose control memory is another module's. */
  private controlBeside(functions: WebAssembly.Table): WebAssembly.Memory {
    controlBeside ??= new WebAssembly.Module(controlModule());
    const { exports } = new WebAssembly.Instance(controlBeside);
    const first = this.program.migratable.module.functionTypes.length + 1;
    accessors.forEach((_, k) => {
      functions.set(first + k, exports[k]);
    });
    return exports[exportName.control] as WebAssembly.Memory;
  }

  /** Of a program with fuel. */
  refuel(polls: number): void {
    (this.exports[exportName.fuel] as WebAssembly.Global).value = polls;
  }

  private prepareControl(): void {
    new Int32Array(this.control.buffer)[CONTROL.framePointer >> 2] = CONTROL.frames;
  }

  /** As new; false when that is not possible, as when a memory has grown. */
  reset(): boolean {
    this.owner = undefined;
    if (!this.resettable) return false;
    if (this.memory.buffer.byteLength !== this.memoryBytes || this.control.buffer.byteLength !== this.controlBytes) return false;
    clearPages(this.memory, this.scan);
    writePages(this.memory, this.program.fresh.pages);
    this.writeGlobals(this.program.fresh.globals);
    new Uint8Array(this.control.buffer).fill(0);
    this.prepareControl();
    return true;
  }

  // ---- globals and tables; only at a stop, as control memory serves to carry them

  readGlobals(): Uint8Array {
    (this.exports[exportName.saveGlobals] as () => void)();
    const area = new Uint8Array(this.control.buffer, CONTROL.frames, this.globalBytes);
    const bytes = new Uint8Array(area);
    area.fill(0);
    return bytes;
  }

  /** @throws NS_BAD_IMAGE */
  writeGlobals(bytes: Uint8Array): void {
    if (bytes.length !== this.globalBytes)
      throw new NightshiftError("NS_BAD_IMAGE", "the image has other globals than the program");
    const area = new Uint8Array(this.control.buffer, CONTROL.frames, this.globalBytes);
    area.set(bytes);
    (this.exports[exportName.loadGlobals] as () => void)();
    area.fill(0);
  }

  /** The first global, if JavaScript can have its value. */
  firstGlobal(): unknown {
    const first = this.program.migratable.module.globals[0];
    return first?.type === I32 ? (this.exports[exportName.global(0)] as WebAssembly.Global).value : undefined;
  }

  readReferences(): Pick<ImageHeader, "references" | "tables"> {
    const references: Record<number, number> = {};
    const tables: Record<number, number[]> = {};
    for (const index of this.references)
      references[index] = this.indexOf((this.exports[exportName.global(index)] as WebAssembly.Global).value);
    for (const index of this.program.migratable.facts.tables) {
      const table = this.exports[exportName.table(index)] as WebAssembly.Table;
      tables[index] = Array.from({ length: table.length }, (_, k) => this.indexOf(table.get(k)));
    }
    return { references, tables };
  }

  /** @throws NS_BAD_IMAGE */
  writeReferences({ references, tables }: Pick<ImageHeader, "references" | "tables">): void {
    for (const index of this.references)
      (this.exports[exportName.global(index)] as WebAssembly.Global).value = this.functionAt(references[index]);
    for (const index of this.program.migratable.facts.tables) {
      const table = this.exports[exportName.table(index)] as WebAssembly.Table;
      const entries = tables[index];
      if (!entries || entries.length < table.length || entries.length > MAX_TABLE_ENTRIES)
        throw new NightshiftError("NS_BAD_IMAGE", `the image has not the entries of table ${index}`);
      if (entries.length > table.length) table.grow(entries.length - table.length);
      entries.forEach((func, k) => {
        table.set(k, this.functionAt(func));
      });
    }
  }

  private functionAt(index: number | undefined): unknown {
    if (index === -1) return null;
    if (index === undefined || !Number.isInteger(index) || index < 0 || index >= this.functions.length)
      throw new NightshiftError("NS_BAD_IMAGE", `the image refers to function ${index}, which the program does not have`);
    return this.functions.get(index);
  }

  private indexOf(value: unknown): number {
    if (value === null) return -1;
    this.indices ??= new Map(Array.from({ length: this.functions.length }, (_, index) => [this.functions.get(index), index]));
    // JavaScriptCore (WebKit 2.50) makes several objects of one function; each has its index as its name.
    const index = this.indices.get(value) ?? Number((value as () => void).name);
    return must(this.functions.get(index) && index, "the function a reference refers to");
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
