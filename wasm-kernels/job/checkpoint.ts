// The checkpoint: a whole job as bytes, for another day or another machine, which needs nothing beside it. Layout (little-endian):
//
//     "NSCP" | u32 version | SHA-256 of all that follows | u32 header bytes | header (CBOR) | parts, one after the other
//
// The header holds everything but the large byte strings, which are the parts: the program, the images of its processes, and its files.
// The header gives each part's size in that order. Nothing in it depends on the machine that wrote it.
import { Decoder, Encoder } from "cbor-x";
import { NightshiftError } from "../errors.ts";
import type { HomeResult, KernelState } from "../process/index.ts";
import type { JobReport } from "./job.ts";

const MAGIC = 0x5043534e; // "NSCP"
export const CHECKPOINT_VERSION = 1;
const HASH_BYTES = 32;
const PREFIX_BYTES = 8 + HASH_BYTES + 4;
/** What Node reads and writes as one file. */
export const MAX_CHECKPOINT_BYTES = 2 ** 31 - 1;

/** What a job is from beginning to end. */
export interface JobSpec {
  /** What people call it: the program's file. */
  name: string;
  /** The migratable module and its SHA-256, lower-case hex. */
  program: Uint8Array<ArrayBuffer>;
  hash: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Input files by relative path. */
  files: ReadonlyMap<string, Uint8Array>;
  clock: "virtual" | "host";
  memoryLimitBytes: number;
  /** CPU time a process may use; 0: any. */
  cpuLimitMs: number;
  /** Paths of the folders in which written files are wanted; "" is the program's whole directory. */
  folders: readonly string[];
}

export interface Checkpoint {
  job: JobSpec;
  /** Milliseconds since 1970. */
  savedAtMs: number;
  kernel: KernelState;
  processes: {
    pid: number;
    parentPid: number;
    /** Where its random numbers come from. */
    seed: string;
    forks: number;
    cpuMs: number;
    /** To the call its image waits in. */
    answer: HomeResult | null;
    /** null: it has not begun. */
    image: Uint8Array | null;
  }[];
  nextPid: number;
  /** How the first process ended, when others still run. */
  report: JobReport | null;
  /** Processes there have been, moves, and CPU time of all. */
  processesSoFar: number;
  moves: number;
  cpuMs: number;
  /** Bytes read from the job's stdin, whether its end was among them, and those no process has got. */
  stdin: { position: number; ended: boolean; rest: Uint8Array };
  /** Bytes that have gone out, by stream. */
  output: { 1: number; 2: number };
  /** Files that ended processes changed. */
  written: Map<string, Uint8Array<ArrayBuffer> | null>;
}

/** SHA-256, injected because engines differ in what they have. */
export type Sha256 = (parts: readonly Uint8Array[]) => Uint8Array;

const encoder = new Encoder({ useRecords: false, variableMapSize: true, tagUint8Array: false, mapsAsObjects: true });
const decoder = new Decoder({ useRecords: false, mapsAsObjects: true });

/** The file's bytes, in pieces to be written one after the other. @throws NS_LIMIT when they are more than a checkpoint may have. */
export function encodeCheckpoint(checkpoint: Checkpoint, sha256: Sha256): Uint8Array[] {
  const { job, processes, written, ...rest } = checkpoint;
  const { program, files, hash: _, ...spec } = job;
  const changed = [...written];
  const parts = [
    program,
    ...processes.flatMap(({ image }) => image ?? []),
    ...files.values(),
    ...changed.flatMap(([, bytes]) => bytes ?? []),
  ];
  const header = encoder.encode({
    ...rest,
    spec,
    processes: processes.map(({ image, ...process }) => ({ ...process, begun: image !== null })),
    files: [...files.keys()],
    written: changed.map(([path, bytes]) => ({ path, removed: bytes === null })),
    sizes: parts.map(({ length }) => length),
  });
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, header.length, true);
  const content = [size, header, ...parts];
  const prefix = new Uint8Array(8 + HASH_BYTES);
  const view = new DataView(prefix.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, CHECKPOINT_VERSION, true);
  prefix.set(sha256(content), 8);
  const total = content.reduce((sum, { length }) => sum + length, prefix.length);
  if (total > MAX_CHECKPOINT_BYTES)
    throw new NightshiftError(
      "NS_LIMIT",
      `the job's checkpoint would have ${total} bytes; at most ${MAX_CHECKPOINT_BYTES} are possible`,
    );
  return [prefix, ...content];
}

export const isCheckpoint = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === MAGIC;

/** @throws NS_BAD_CHECKPOINT for anything that is not a whole checkpoint of this version. Images are looked at when they are restored. */
export function decodeCheckpoint(bytes: Uint8Array, sha256: Sha256): Checkpoint {
  if (!isCheckpoint(bytes)) throw bad("it does not begin with NSCP");
  if (bytes.length < PREFIX_BYTES) throw bad("it is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(4, true);
  if (version !== CHECKPOINT_VERSION) throw bad(`it is of version ${version}, not ${CHECKPOINT_VERSION}`);
  const hash = sha256([bytes.subarray(8 + HASH_BYTES)]);
  if (hash.some((byte, at) => byte !== bytes[8 + at])) throw bad("it is cut off or was changed: its bytes do not match its hash");
  const headerBytes = view.getUint32(8 + HASH_BYTES, true);
  if (headerBytes > bytes.length - PREFIX_BYTES) throw bad("its header is cut off");
  return read(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes), bytes.subarray(PREFIX_BYTES + headerBytes), sha256);
}

function read(headerBytes: Uint8Array, content: Uint8Array, sha256: Sha256): Checkpoint {
  let header: Fields;
  try {
    header = new Fields(decoder.decode(headerBytes), "the header");
  } catch (thrown) {
    if (thrown instanceof NightshiftError) throw thrown;
    throw bad("its header is damaged", thrown);
  }
  const sizes = header.list("sizes", natural);
  if (sizes.reduce((sum, size) => sum + size, 0) !== content.length) throw bad("its parts are not whole");
  let part = 0;
  let at = 0;
  const next = (): Uint8Array<ArrayBuffer> => {
    const size = sizes[part++];
    if (size === undefined) throw bad("it has fewer parts than it says");
    at += size;
    return new Uint8Array(content.subarray(at - size, at));
  };
  const spec = header.fields("spec");
  const program = next();
  const processes = header.list("processes", (value, what) => {
    const it = new Fields(value, what);
    return {
      pid: it.get("pid", positive),
      parentPid: it.get("parentPid", natural),
      seed: it.get("seed", string),
      forks: it.get("forks", natural),
      cpuMs: it.get("cpuMs", amount),
      answer: it.get("answer", nullOr(homeResult)),
      image: it.get("begun", boolean) ? next() : null,
    };
  });
  const job: JobSpec = {
    name: spec.get("name", string),
    program,
    hash: hex(sha256([program])),
    args: spec.list("args", string),
    env: spec.get("env", strings),
    clock: spec.get("clock", oneOf("virtual", "host")),
    memoryLimitBytes: spec.get("memoryLimitBytes", positive),
    cpuLimitMs: spec.get("cpuLimitMs", natural),
    folders: spec.list("folders", string),
    files: new Map(header.list("files", string).map((path) => [path, next()])),
  };
  const stdin = header.fields("stdin");
  const output = header.fields("output");
  const checkpoint: Checkpoint = {
    job,
    savedAtMs: header.get("savedAtMs", amount),
    kernel: kernelState(header.fields("kernel")),
    processes,
    nextPid: header.get("nextPid", positive),
    report: header.get("report", nullOr(jobReport)),
    processesSoFar: header.get("processesSoFar", positive),
    moves: header.get("moves", natural),
    cpuMs: header.get("cpuMs", amount),
    stdin: { position: stdin.get("position", natural), ended: stdin.get("ended", boolean), rest: stdin.get("rest", byteString) },
    output: { 1: output.get("1", natural), 2: output.get("2", natural) },
    written: new Map(
      header.list("written", (value, what) => {
        const it = new Fields(value, what);
        return [it.get("path", string), it.get("removed", boolean) ? null : next()];
      }),
    ),
  };
  if (part !== sizes.length) throw bad("it has more parts than it says");
  const living = new Set(checkpoint.kernel.processes.filter(({ status }) => status === null).map(({ pid }) => pid));
  const pids = processes.map(({ pid }) => pid);
  if (
    pids.length === 0 ||
    new Set(pids).size !== pids.length ||
    pids.length !== living.size ||
    pids.some((pid) => !living.has(pid))
  )
    throw bad("its processes and its kernel do not fit together");
  if (pids.some((pid) => pid >= checkpoint.nextPid)) throw bad("its next process number is in use");
  if (!living.has(1) && checkpoint.report === null) throw bad("how its first process ended is missing");
  return checkpoint;
}

function kernelState(it: Fields): KernelState {
  return {
    processes: it.list("processes", (value, what) => {
      const process = new Fields(value, what);
      return {
        pid: process.get("pid", positive),
        parent: process.get("parent", natural),
        status: process.get("status", nullOr(natural)),
        ends: process.list("ends", string),
        stopped: process.get("stopped", boolean),
      };
    }),
    pipes: it.list("pipes", (value, what) => {
      const pipe = new Fields(value, what);
      return {
        object: pipe.get("object", natural),
        bytes: pipe.get("bytes", byteString),
        outsideWriter: pipe.get("outsideWriter", boolean),
      };
    }),
    nextPipe: it.get("nextPipe", positive),
  };
}

function homeResult(value: unknown, what: string): HomeResult {
  const it = new Fields(value, what);
  const status = it.get("status", optional(natural));
  const bytes = it.get("bytes", optional(byteString));
  return { value: it.get("value", integer), status, bytes };
}

function jobReport(value: unknown, what: string): JobReport {
  const it = new Fields(value, what);
  const kind = it.get("kind", oneOf("exit", "signal", "fault"));
  if (kind === "exit") return { kind, code: it.get("code", natural) };
  if (kind === "signal") return { kind, signal: it.get("signal", natural) };
  const code = it.get("code", oneOf("NS_TRAP", "NS_STACK_OVERFLOW", "NS_MEMORY_LIMIT", "NS_TIMEOUT", "NS_INTERNAL"));
  return { kind, code, message: it.get("message", string), wasmStack: it.list("wasmStack", string) };
}

// ---- checking what was read, field by field: a file with a right hash may still be made by anybody

type Check<T> = (value: unknown, what: string) => T;

class Fields {
  private readonly value: Record<string, unknown>;
  private readonly what: string;

  constructor(value: unknown, what: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
      throw bad(`${what} is no map`);
    this.value = value as Record<string, unknown>;
    this.what = what;
  }

  get<T>(name: string, check: Check<T>): T {
    return check(Object.hasOwn(this.value, name) ? this.value[name] : undefined, `${name} of ${this.what}`);
  }

  fields(name: string): Fields {
    return this.get(name, (value, what) => new Fields(value, what));
  }

  list<T>(name: string, check: Check<T>): T[] {
    return this.get(name, (value, what) => {
      if (!Array.isArray(value)) throw bad(`${what} is no list`);
      return value.map((item) => check(item, what));
    });
  }
}

function checked<T>(name: string, is: (value: unknown) => boolean): Check<T> {
  return (value, what) => {
    if (!is(value)) throw bad(`${what} is no ${name}`);
    return value as T;
  };
}

const integer = checked<number>("whole number", Number.isSafeInteger);
const natural = checked<number>("natural number", (value) => Number.isSafeInteger(value) && (value as number) >= 0);
const positive = checked<number>("positive number", (value) => Number.isSafeInteger(value) && (value as number) > 0);
const amount = checked<number>("amount", (value) => Number.isFinite(value) && (value as number) >= 0);
const string = checked<string>("text", (value) => typeof value === "string");
const boolean = checked<boolean>("truth value", (value) => typeof value === "boolean");
const byteString = (value: unknown, what: string): Uint8Array =>
  new Uint8Array(checked<Uint8Array>("byte string", (it) => it instanceof Uint8Array)(value, what));
const oneOf = <T extends string>(...known: T[]): Check<T> => checked<T>(`known kind`, (value) => known.includes(value as T));
const nullOr =
  <T>(check: Check<T>): Check<T | null> =>
  (value, what) =>
    value === null ? null : check(value, what);
const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, what) =>
    value === undefined ? undefined : check(value, what);

function strings(value: unknown, what: string): Record<string, string> {
  new Fields(value, what);
  return Object.fromEntries(Object.entries(value as object).map(([name, text]) => [name, string(text, `${name} of ${what}`)]));
}

const bad = (why: string, cause?: unknown): NightshiftError =>
  new NightshiftError("NS_BAD_CHECKPOINT", `the checkpoint cannot be read: ${why}`, cause === undefined ? {} : { cause });

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
