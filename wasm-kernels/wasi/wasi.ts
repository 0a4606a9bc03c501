// The WASI preview1 host of one process: arguments, environment, files, clocks, random, and the process functions of the Nightshift
// overlay (fork, wait, pipes, kill). Deterministic: by default time is virtual and random is seeded.
//
// Reference: wasi_snapshot_preview1 witx. Every function returns an errno; a pointer outside memory is EFAULT. A function that must
// wait throws Blocked before it has changed anything, and works again when called again with the same arguments.
import { NightshiftError } from "../errors.ts";
import { Blocked, Exited, type HostFunction, type PipeEnd } from "../process/hostcalls.ts";
import { type Calls, CLOCK, CLOCK_TICK_NS, type Descriptor, VIRTUAL_EPOCH_NS, WasiContext, type WasiOptions } from "./context.ts";
import { ERRNO, fail, WasiError } from "./errno.ts";
import { fdCalls } from "./fd-calls.ts";
import { Files, type FilesState } from "./files.ts";
import type { Node } from "./nodes.ts";
import { pathCalls } from "./path-calls.ts";
import { type PollProgress, pollOneoff } from "./poll-call.ts";
import { processCalls } from "./process-calls.ts";
import { MAX_RANDOM_BYTES, SeededRandom } from "./random.ts";
import { RIGHTS } from "./rights.ts";

export type { WasiOptions } from "./context.ts";

/** What of the WASI host goes into an image. */
export interface WasiState {
  clockNs: bigint;
  poll: PollProgress | null;
  /** The seed the random state grew from: a process restored with another one (a fork's child) draws other numbers. */
  seed: string;
  random: number[];
  /** Each with the numbers of the descriptors that are it, and with what it is. */
  open: ({ fds: number[]; rights: number; inheriting: number; flags: number } & (
    | { kind: "output"; stream: 1 | 2 }
    | ({ kind: "pipe" } & PipeEnd)
    | { kind: "file"; inode: number; position: number }
    | { kind: "device"; inode: number }
    | { kind: "directory"; inode: number; preopen: string | null }
  ))[];
  files: FilesState;
}

const FIRST_PREOPEN_FD = 3;
const encoder = new TextEncoder();

export class Wasi {
  readonly functions: Record<string, HostFunction>;
  readonly processFunctions: Record<string, HostFunction>;
  private readonly context: WasiContext;
  private readonly args: Uint8Array[];
  private readonly env: Uint8Array[];

  /** @throws NS_BAD_FILE for input files or preopened directories that cannot be, NS_BAD_IMAGE for a state that cannot */
  constructor(options: WasiOptions, state?: WasiState) {
    this.args = options.args.map((arg) => encoder.encode(`${arg}\0`));
    this.env = Object.entries(options.env).map(([name, value]) => encoder.encode(`${name}=${value}\0`));
    this.context = state ? restored(options, state) : started(options);
    this.functions = guarded(this.wasiFunctions());
    this.processFunctions = processCalls(this.context);
  }

  attach(memory: WebAssembly.Memory): void {
    this.context.attach(memory);
  }

  /** Of memory, for files that it has made. */
  get fileBytes(): number {
    return this.context.files.madeBytes;
  }

  changedFiles(): Map<string, Uint8Array | null> {
    return this.context.files.changed();
  }

  state(): WasiState {
    const { descriptors, clockNs, poll, options, files, random } = this.context;
    const open = new Map<Descriptor, number[]>();
    for (const [fd, descriptor] of [...descriptors].sort(([a], [b]) => a - b)) {
      const fds = open.get(descriptor);
      if (fds) fds.push(fd);
      else open.set(descriptor, [fd]);
    }
    const nodes = [...open.keys()].flatMap((descriptor): Node[] => ("node" in descriptor ? [descriptor.node] : []));
    return {
      clockNs,
      poll: poll && { ...poll },
      seed: options.seed,
      random: random.state(),
      open: [...open].map(([descriptor, fds]) => openState(descriptor, fds)),
      files: files.state(nodes),
    };
  }

  private wasiFunctions(): Calls {
    const noSocket = (fd: number): number => {
      this.context.descriptor(fd);
      return ERRNO.ENOTSOCK;
    };
    return {
      args_sizes_get: (count: number, size: number) => this.writeSizes(this.args, count, size),
      args_get: (pointers: number, buffer: number) => this.writeStrings(this.args, pointers, buffer),
      environ_sizes_get: (count: number, size: number) => this.writeSizes(this.env, count, size),
      environ_get: (pointers: number, buffer: number) => this.writeStrings(this.env, pointers, buffer),
      clock_res_get: (id: number, pointer: number) => {
        if (id >>> 0 > CLOCK.threadCpu) fail(ERRNO.EINVAL);
        this.context.setU64(pointer, CLOCK_TICK_NS);
        return undefined;
      },
      clock_time_get: (id: number, _precision: bigint, pointer: number) => {
        if (id >>> 0 > CLOCK.threadCpu) fail(ERRNO.EINVAL);
        this.context.at(pointer, 8);
        this.context.setU64(pointer, this.context.timeNs(id));
        return undefined;
      },
      random_get: (pointer: number, length: number) => {
        const bytes = this.context.bytes(pointer, length);
        if (bytes.length > MAX_RANDOM_BYTES) fail(ERRNO.EINVAL);
        this.context.random.fill(bytes);
        return undefined;
      },
      proc_exit: (code: number) => {
        throw new Exited(code & 0xff);
      },
      proc_raise: () => ERRNO.ENOSYS,
      sched_yield: () => {
        throw new Blocked({ kind: "yield" }, () => ERRNO.SUCCESS);
      },
      poll_oneoff: (subscriptions: number, events: number, count: number, countPointer: number) =>
        pollOneoff(this.context, subscriptions, events, count, countPointer),
      sock_accept: noSocket,
      sock_recv: noSocket,
      sock_send: noSocket,
      sock_shutdown: noSocket,
      ...fdCalls(this.context),
      ...pathCalls(this.context),
    };
  }

  private writeStrings(strings: readonly Uint8Array[], pointers: number, buffer: number): undefined {
    let at = buffer;
    strings.forEach((bytes, i) => {
      this.context.setU32(pointers + 4 * i, at);
      this.context.bytes(at, bytes.length).set(bytes);
      at += bytes.length;
    });
  }

  private writeSizes(strings: readonly Uint8Array[], count: number, size: number): undefined {
    this.context.setU32(count, strings.length);
    this.context.setU32(
      size,
      strings.reduce((sum, bytes) => sum + bytes.length, 0),
    );
  }
}

function started(options: WasiOptions): WasiContext {
  const context = new WasiContext(options, Files.start(options.files, VIRTUAL_EPOCH_NS), new SeededRandom(options.seed));
  context.put(0, context.newPipeEnd("read", 0));
  for (const stream of [1, 2] as const)
    context.put(stream, { kind: "output", stream, rights: RIGHTS.output, inheriting: 0, flags: 0, fds: 0 });
  Object.entries(options.preopens ?? { "/": "" }).forEach(([name, folder], index) => {
    const names = folder.split("/").filter((part) => part !== "" && part !== ".");
    const node = names.includes("..") ? undefined : context.files.makeDirectories(names, VIRTUAL_EPOCH_NS);
    if (!node) throw new NightshiftError("NS_BAD_FILE", `the folder ${folder} cannot be preopened: it is none of the job's`);
    const rights = { rights: RIGHTS.directory, inheriting: RIGHTS.directory | RIGHTS.file };
    context.put(FIRST_PREOPEN_FD + index, { kind: "directory", node, preopen: name, ...rights, flags: 0, fds: 0 });
  });
  return context;
}

function restored(options: WasiOptions, state: WasiState): WasiContext {
  const { files, nodes } = Files.restore(options.files, state.files);
  const random = new SeededRandom(state.seed === options.seed ? state.random : options.seed);
  const context = new WasiContext(options, files, random);
  context.clockNs = BigInt(state.clockNs); // small numbers come back from an image as such
  if (state.poll) {
    const { beganNs, sleptNs, pauseNs, asleep } = state.poll;
    context.poll = { beganNs: BigInt(beganNs), sleptNs: BigInt(sleptNs), pauseNs: BigInt(pauseNs), asleep };
  }
  for (const item of state.open) {
    const descriptor = descriptorOf(item, nodes);
    for (const fd of item.fds) context.put(fd, descriptor);
  }
  return context;
}

function openState(descriptor: Descriptor, fds: number[]): WasiState["open"][number] {
  const { rights, inheriting, flags } = descriptor;
  const common = { fds, rights, inheriting, flags };
  const { kind } = descriptor;
  if (kind === "output") return { ...common, kind, stream: descriptor.stream };
  if (kind === "pipe") return { ...common, kind, object: descriptor.object, end: descriptor.end };
  const { inode } = descriptor.node;
  if (kind === "device") return { ...common, kind, inode };
  return kind === "file"
    ? { ...common, kind, inode, position: descriptor.position }
    : { ...common, kind, inode, preopen: descriptor.preopen };
}

function descriptorOf(item: WasiState["open"][number], nodes: ReadonlyMap<number, Node>): Descriptor {
  const { rights, inheriting, flags } = item;
  const common = { rights, inheriting, flags, fds: 0 };
  if (item.kind === "output") return { ...common, kind: "output", stream: item.stream };
  if (item.kind === "pipe") return { ...common, kind: "pipe", object: item.object, end: item.end };
  const node = nodes.get(item.inode);
  if (item.kind === "file" && node?.kind === "file") return { ...common, kind: "file", node, position: item.position };
  if (item.kind === "device" && node?.kind === "device") return { ...common, kind: "device", node };
  if (item.kind === "directory" && node?.kind === "directory")
    return { ...common, kind: "directory", node, preopen: item.preopen };
  throw new NightshiftError("NS_BAD_IMAGE", `the image has node ${item.inode} open, which is not among its files`);
}

/** Turns WasiError into its number. */
function guarded(functions: Calls): Record<string, HostFunction> {
  const result: Record<string, HostFunction> = {};
  for (const [name, work] of Object.entries(functions)) {
    result[name] = (...args) => {
      try {
        return work(...args) ?? ERRNO.SUCCESS;
      } catch (thrown) {
        if (thrown instanceof WasiError) return thrown.errno;
        throw thrown;
      }
    };
  }
  return result;
}
