// A migratable program ready to run: its bytes, the compiled module, and the continuation modules compiled so far. One per program
// and thread; processes share it.
import { must, NightshiftError } from "../errors.ts";
import { buildContinuation, MigratableModule, parseModule, type Site } from "../instrument/index.ts";
import { EXTERNAL } from "../instrument/module.ts";
import { hostFunctions } from "./hostcalls.ts";
import { ProgramInstance } from "./instance.ts";
import { changedPages, type Pages } from "./memory.ts";

/** Instances without a process that a program keeps, and the most memory one of them may have: it is the machine's owner's. */
const MAX_SPARE = 2;
const MAX_SPARE_BYTES = 16 * 2 ** 20;

export class Program {
  /** SHA-256 of the migratable module, lower-case hex. */
  readonly hash: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly module: WebAssembly.Module;
  private begins: { pages: Pages; globals: Uint8Array } | undefined;
  private readonly spare: ProgramInstance[] = [];
  private opened: MigratableModule | undefined;
  private readonly continuations = new Map<number, WebAssembly.Module>();

  /** @param module the compiled bytes, when somebody has compiled them already */
  constructor(hash: string, bytes: Uint8Array<ArrayBuffer>, module?: WebAssembly.Module) {
    this.hash = hash;
    this.bytes = bytes;
    this.module = module ?? new WebAssembly.Module(bytes);
  }

  get migratable(): MigratableModule {
    this.opened ??= new MigratableModule(this.bytes);
    return this.opened;
  }

  /** An instance in the state of a new one. */
  obtain(): ProgramInstance {
    const spare = this.spare.pop();
    if (spare) return spare;
    const instance = new ProgramInstance(this);
    this.begins ??= {
      pages: changedPages(instance.memory, instance.scan, new Map()),
      globals: instance.readGlobals(),
    };
    return instance;
  }

  /** The instance's process has left it. */
  giveBack(instance: ProgramInstance): void {
    const wanted = this.spare.length < MAX_SPARE && instance.memory.buffer.byteLength <= MAX_SPARE_BYTES;
    if (wanted && instance.reset()) this.spare.push(instance);
  }

  /** Nobody needs instances for now: lets go of their memory. */
  dropSpare(): void {
    this.spare.length = 0;
  }

  /** How the program begins: the pages its data segments fill, and its mutable globals. Known once there has been an instance. */
  get fresh(): { pages: Pages; globals: Uint8Array } {
    return must(this.begins, "an instance of the program");
  }

  /** @throws NS_BAD_IMAGE for a site the program does not have. */
  site(id: number): Site {
    const site = this.migratable.facts.sites[id];
    if (!site) throw new NightshiftError("NS_BAD_IMAGE", `the image is of another program: there is no site ${id}`);
    return site;
  }

  /** Has the site's continuation compiled on another thread. */
  async prepare(site: Site): Promise<void> {
    if (!this.continuations.has(site.id))
      this.continuations.set(site.id, await WebAssembly.compile(buildContinuation(this.migratable, site)));
  }

  continuation(site: Site): WebAssembly.Module {
    let module = this.continuations.get(site.id);
    if (!module) {
      module = new WebAssembly.Module(buildContinuation(this.migratable, site));
      this.continuations.set(site.id, module);
    }
    return module;
  }
}

/**
 * Checks a plain module before it is accepted: that the engine validates it, that every import is one the runtime provides, and
 * that it is a command (exports _start and a memory).
 * @throws NS_NOT_WASM, NS_BAD_MODULE, NS_UNKNOWN_IMPORT (all of them named)
 */
export function checkModule(bytes: Uint8Array<ArrayBuffer>): void {
  const module = parseModule(bytes);
  if (!WebAssembly.validate(bytes))
    throw new NightshiftError("NS_BAD_MODULE", `the module does not validate: ${reasonOf(bytes)}`);
  checkInterface(
    module.imports.map((item) => ({ ...item, kind: kindName(item.kind) })),
    module.exports.map((item) => ({ ...item, kind: kindName(item.kind) })),
  );
}

const kindName = (kind: number): string =>
  kind === EXTERNAL.function ? "function" : kind === EXTERNAL.memory ? "memory" : "other";

/**
 * Whether a module with these imports and exports can be a program.
 * @throws NS_UNKNOWN_IMPORT (all of them named), NS_BAD_MODULE
 */
export function checkInterface(
  imports: readonly { module: string; name: string; kind: string }[],
  exports: readonly { name: string; kind: string }[],
): void {
  const unknown = imports.filter(({ module, name, kind }) => kind !== "function" || !hostFunctions.has(`${module}.${name}`));
  if (unknown.length > 0) {
    const names = unknown.slice(0, 10).map((item) => `${item.module}.${item.name}`);
    throw new NightshiftError(
      "NS_UNKNOWN_IMPORT",
      `the module imports what Nightshift does not provide: ${names.join(", ")}${unknown.length > 10 ? ` and ${unknown.length - 10} more` : ""}`,
      {
        details: { imports: names },
      },
    );
  }
  if (!exports.some(({ name, kind }) => name === "_start" && kind === "function"))
    throw new NightshiftError("NS_BAD_MODULE", "the module is no command: it exports no function _start");
  if (!exports.some(({ name, kind }) => name === "memory" && kind === "memory"))
    throw new NightshiftError("NS_BAD_MODULE", 'the module exports no memory named "memory"');
}

function reasonOf(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    new WebAssembly.Module(bytes);
    return "unknown reason";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
