// What a program, an image or a checkpoint holds, as plain data for people and scripts. Runs nothing.
import { asNightshiftError, NightshiftError } from "../errors.ts";
import { exportName, functionName, instrument, MigratableModule, parseModule, type WasmModule } from "../instrument/index.ts";
import { checkModule, decodeImage, type Image, noPacker, type Packer } from "../process/index.ts";
import { PAGE_BYTES } from "../process/memory.ts";
import { fixedPath } from "../wasi/index.ts";
import type { Checkpoint } from "./checkpoint.ts";

export interface ProgramDescription {
  kind: "plain" | "migratable";
  bytes: number;
  /** Of the code section alone. */
  codeBytes: number;
  functions: number;
  imports: string[];
  /** Why it cannot be moved between machines; null when it can. */
  refused: { code: string; message: string } | null;
  /** What was done so that it can be moved; null when it cannot. */
  migratable: {
    bytes: number;
    codeBytes: number;
    /** Functions that can be on the stack when a process stops. */
    suspendable: number;
    /** Where it can stop: polls at loops and before calls, and returns from calls that were left. */
    sites: { loop: number; poll: number; call: number };
  } | null;
}

export interface ImageDescription {
  program: string;
  /** The image it is a delta of. */
  parent: string | null;
  memoryBytes: number;
  /** Ranges of memory that differ from the program's beginning (or from the parent), in bytes. */
  ranges: { from: number; to: number }[];
  savedBytes: number;
  globalsBytes: number;
  /** Innermost first; the function's name and the site's kind where the program is at hand. */
  stack: { site: number; function: string | null; kind: string | null; bytes: number }[];
  pending: string | null;
  descriptors: { fd: number; what: string }[];
  output: { stdout: number; stderr: number };
  cpuMs: number;
}

/** A section's id for code. */
const CODE = 10;
const codeBytes = (module: WasmModule): number =>
  module.sections.filter(({ id }) => id === CODE).reduce((sum, { start, end }) => sum + end - start, 0);

/** @throws NS_NOT_WASM, NS_BAD_MODULE when it cannot even be read */
export function describeProgram(bytes: Uint8Array<ArrayBuffer>): ProgramDescription {
  const module = parseModule(bytes);
  const isMigratable = module.exports.some(({ name }) => name === exportName.control);
  const description: ProgramDescription = {
    kind: isMigratable ? "migratable" : "plain",
    bytes: bytes.length,
    codeBytes: codeBytes(module),
    functions: module.bodies.length,
    imports: module.imports.map(({ module: from, name }) => `${from}.${name}`),
    refused: null,
    migratable: null,
  };
  try {
    checkModule(bytes);
    const wasm = isMigratable ? bytes : instrument(bytes).wasm;
    const { module: moved, facts } = new MigratableModule(wasm);
    const sites = { loop: 0, poll: 0, call: 0 };
    for (const { kind } of facts.sites) sites[kind]++;
    const suspendable = new Set(facts.sites.map(({ func }) => func)).size;
    return { ...description, migratable: { bytes: wasm.length, codeBytes: codeBytes(moved), suspendable, sites } };
  } catch (thrown) {
    const { code, message } = asNightshiftError(thrown);
    return { ...description, refused: { code, message } };
  }
}

/**
 * @param program the migratable program it is of, where it is at hand
 * @throws NS_BAD_IMAGE
 */
export function describeImage(bytes: Uint8Array, packer: Packer, program: MigratableModule | null): ImageDescription {
  const image = decodeImage(bytes, [noPacker, packer]);
  try {
    return describe(image, program);
  } catch (thrown) {
    if (thrown instanceof NightshiftError) throw thrown;
    throw new NightshiftError("NS_BAD_IMAGE", `the image's header is damaged: ${asNightshiftError(thrown).message}`, {
      cause: thrown,
    });
  }
}

function describe({ header, pages }: Image, program: MigratableModule | null): ImageDescription {
  const { wasi, pending } = header;
  const pathOf = pathsOf(wasi.files.names);
  return {
    program: header.program,
    parent: header.parent,
    memoryBytes: header.memoryBytes,
    ranges: ranges([...pages.keys()].sort((a, b) => a - b)),
    savedBytes: pages.size * PAGE_BYTES,
    globalsBytes: header.globals.length,
    stack: header.frames.map(({ site, data }) => {
      const known = program?.facts.sites[site];
      const name = program && known ? functionName(program.module, known.func) : null;
      return { site, function: name, kind: known?.kind ?? null, bytes: data.length };
    }),
    pending: pending && `${pending.module}.${pending.name}(${pending.args.join(", ")})`,
    descriptors: wasi.open
      .flatMap((open) => {
        let what: string;
        if (open.kind === "output") what = open.stream === 1 ? "stdout" : "stderr";
        else if (open.kind === "pipe") what = open.object === 0 ? "stdin" : `pipe ${open.object}, ${open.end} end`;
        else if (open.kind === "directory") what = `directory ${pathOf(open.inode)}`;
        else if (open.kind === "device") what = `device ${pathOf(open.inode)}`;
        else what = `file ${pathOf(open.inode)} at ${open.position}`;
        return open.fds.map((fd) => ({ fd, what }));
      })
      .sort((a, b) => a.fd - b.fd),
    output: { stdout: header.outputBytes, stderr: header.errorBytes },
    cpuMs: header.cpuMs,
  };
}

const ROOT_INODE = 1;

/** One path of each file and directory. @param names [directory, name, node, serial], parents first */
function pathsOf(names: readonly (readonly [number, string, number, number])[]): (inode: number) => string {
  const paths = new Map([[ROOT_INODE, "."]]);
  for (const [directory, name, inode] of names) {
    const parent = paths.get(directory);
    if (parent !== undefined && !paths.has(inode)) paths.set(inode, directory === ROOT_INODE ? name : `${parent}/${name}`);
  }
  return (inode) => paths.get(inode) ?? fixedPath(inode) ?? "(removed)";
}

/** @param numbers of pages, ascending */
function ranges(numbers: readonly number[]): ImageDescription["ranges"] {
  const found: ImageDescription["ranges"] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    const from = number * PAGE_BYTES;
    if (last?.to === from) last.to += PAGE_BYTES;
    else found.push({ from, to: from + PAGE_BYTES });
  }
  return found;
}

export interface CheckpointDescription {
  name: string;
  args: readonly string[];
  savedAt: string;
  programHash: string;
  program: ProgramDescription;
  memoryLimitBytes: number;
  cpuMs: number;
  files: { path: string; bytes: number }[];
  written: { path: string; bytes: number | null }[];
  stdin: { position: number; ended: boolean; waiting: number };
  output: { stdout: number; stderr: number };
  pipes: { pipe: number; bytes: number }[];
  processes: { pid: number; parentPid: number; stopped: boolean; imageBytes: number; image: ImageDescription | null }[];
}

/** @throws NS_BAD_IMAGE, NS_BAD_MODULE */
export function describeCheckpoint(checkpoint: Checkpoint, packer: Packer): CheckpointDescription {
  const { job, kernel, stdin, output } = checkpoint;
  const program = new MigratableModule(job.program);
  return {
    name: job.name,
    args: job.args,
    savedAt: new Date(Math.min(checkpoint.savedAtMs, 8.64e15)).toISOString(), // the latest Date there is
    programHash: job.hash,
    program: describeProgram(job.program),
    memoryLimitBytes: job.memoryLimitBytes,
    cpuMs: checkpoint.cpuMs,
    files: [...job.files].map(([path, { length }]) => ({ path, bytes: length })),
    written: [...checkpoint.written].map(([path, bytes]) => ({ path, bytes: bytes?.length ?? null })),
    stdin: { position: stdin.position, ended: stdin.ended, waiting: stdin.rest.length },
    output: { stdout: output[1], stderr: output[2] },
    pipes: kernel.pipes.filter(({ object }) => object !== 0).map(({ object, bytes }) => ({ pipe: object, bytes: bytes.length })),
    processes: checkpoint.processes.map(({ pid, parentPid, image }) => ({
      pid,
      parentPid,
      stopped: kernel.processes.some((process) => process.pid === pid && process.stopped),
      imageBytes: image?.length ?? 0,
      image: image && describeImage(image, packer, program),
    })),
  };
}
