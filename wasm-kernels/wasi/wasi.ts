// The WASI preview1 host of one process: arguments, environment, files, clocks, random, and the process functions of the Nightshift
// overlay (fork, wait, pipes, kill). Deterministic: by default time is virtual and random is seeded.
//
// Reference: wasi_snapshot_preview1 witx. Every function returns an errno; a pointer outside memory is EFAULT. A function that must
// wait throws Blocked before it has changed anything, and works again when called again with the same arguments.
import { Blocked, Exited, type HostFunction } from "../process/hostcalls.ts";
import { type Calls, type Descriptor, VIRTUAL_TICK_NS, WasiContext, type WasiOptions, type WasiState } from "./context.ts";
import { ERRNO, fail, WasiError } from "./errno.ts";
import { fdCalls } from "./fd-calls.ts";
import { type DirectoryNode, type FileNode, Files, type Node } from "./files.ts";
import { pathCalls } from "./path-calls.ts";
import { pollOneoff } from "./poll-call.ts";
import { processCalls } from "./process-calls.ts";
import { SeededRandom } from "./random.ts";

export type { WasiOptions, WasiState } from "./context.ts";

const encoder = new TextEncoder();

export class Wasi {
  readonly functions: Record<string, HostFunction>;
  readonly processFunctions: Record<string, HostFunction>;
  private readonly context: WasiContext;
  private readonly random: SeededRandom;
  private readonly args: Uint8Array[];
  private readonly env: Uint8Array[];

  constructor(options: WasiOptions, state?: WasiState) {
    this.args = options.args.map((arg) => encoder.encode(`${arg}\0`));
    this.env = Object.entries(options.env).map(([name, value]) => encoder.encode(`${name}=${value}\0`));
    this.context = new WasiContext(options, new Files(options.files));
    this.random = new SeededRandom(state?.seed === options.seed ? state.random : options.seed);
    if (state) this.load(state);
    else {
      this.context.descriptors.set(0, { kind: "pipe", object: 0, end: "read" });
      this.context.descriptors.set(1, { kind: "output", stream: 1 });
      this.context.descriptors.set(2, { kind: "output", stream: 2 });
      this.context.descriptors.set(3, { kind: "directory", node: this.context.files.root, preopened: true });
    }
    this.functions = this.guarded(this.wasiFunctions());
    this.processFunctions = processCalls(this.context);
  }

  attach(memory: WebAssembly.Memory): void {
    this.context.attach(memory);
  }

  changedFiles(): Map<string, Uint8Array | null> {
    return this.context.files.changed();
  }

  state(): WasiState {
    const open: WasiState["open"] = [];
    const index = new Map<Descriptor, number>();
    const fds: [number, number][] = [];
    for (const [fd, descriptor] of [...this.context.descriptors].sort((a, b) => a[0] - b[0])) {
      let at = index.get(descriptor);
      if (at === undefined) {
        at = open.length;
        index.set(descriptor, at);
        if (descriptor.kind === "file")
          open.push({
            kind: "file",
            inode: descriptor.node.inode,
            position: descriptor.position,
            flags: descriptor.flags,
            read: descriptor.read,
            write: descriptor.write,
          });
        else if (descriptor.kind === "directory")
          open.push({ kind: "directory", inode: descriptor.node.inode, preopened: descriptor.preopened });
        else open.push({ ...descriptor });
      }
      fds.push([fd, at]);
    }
    const nodes = [...index.keys()].flatMap((descriptor): Node[] => ("node" in descriptor ? [descriptor.node] : []));
    return {
      clockNs: this.context.clockNs,
      seed: this.context.options.seed,
      random: this.random.state(),
      open,
      fds,
      files: this.context.files.state(nodes),
    };
  }

  private load(state: WasiState): void {
    const nodes = this.context.files.restore(state.files);
    const open = state.open.map((item): Descriptor => {
      if (item.kind === "file") return { ...item, node: nodes.get(item.inode) as FileNode };
      if (item.kind === "directory")
        return { kind: "directory", preopened: item.preopened, node: nodes.get(item.inode) as DirectoryNode };
      return { ...item };
    });
    for (const [fd, index] of state.fds) this.context.descriptors.set(fd, open[index]);
    this.context.clockNs = BigInt(state.clockNs);
  }

  /** Turns WasiError into its number and a pointer outside memory into EFAULT. */
  private guarded(functions: Calls): Record<string, HostFunction> {
    const result: Record<string, HostFunction> = {};
    for (const [name, work] of Object.entries(functions)) {
      result[name] = (...args) => {
        try {
          return work(...args) ?? ERRNO.SUCCESS;
        } catch (thrown) {
          if (thrown instanceof WasiError) return thrown.errno;
          if (thrown instanceof RangeError && /bounds|offset|length/i.test(thrown.message)) return ERRNO.EFAULT;
          throw thrown;
        }
      };
    }
    return result;
  }

  private wasiFunctions(): Calls {
    return {
      args_sizes_get: (count: number, size: number) => this.writeSizes(this.args, count, size),
      args_get: (pointers: number, buffer: number) => this.writeStrings(this.args, pointers, buffer),
      environ_sizes_get: (count: number, size: number) => this.writeSizes(this.env, count, size),
      environ_get: (pointers: number, buffer: number) => this.writeStrings(this.env, pointers, buffer),
      clock_res_get: (id: number, pointer: number) => {
        if (id >>> 0 > 3) fail(ERRNO.EINVAL);
        this.context.view().setBigUint64(pointer, VIRTUAL_TICK_NS, true);
        return undefined;
      },
      clock_time_get: (id: number, _precision: bigint, pointer: number) => {
        if (id >>> 0 > 3) fail(ERRNO.EINVAL);
        this.context.view().setBigUint64(pointer, this.context.nowNs(), true);
        return undefined;
      },
      random_get: (pointer: number, length: number) => {
        this.random.fill(this.context.bytes(pointer, length));
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
      sock_accept: () => ERRNO.ENOTSUP,
      sock_recv: () => ERRNO.ENOTSUP,
      sock_send: () => ERRNO.ENOTSUP,
      sock_shutdown: () => ERRNO.ENOTSUP,
      ...fdCalls(this.context),
      ...pathCalls(this.context),
    };
  }

  private writeStrings(strings: readonly Uint8Array[], pointers: number, buffer: number): undefined {
    let at = buffer;
    strings.forEach((bytes, i) => {
      this.context.view().setUint32(pointers + 4 * i, at, true);
      this.context.bytes(at, bytes.length).set(bytes);
      at += bytes.length;
    });
  }

  private writeSizes(strings: readonly Uint8Array[], count: number, size: number): undefined {
    this.context.view().setUint32(count, strings.length, true);
    this.context.view().setUint32(
      size,
      strings.reduce((sum, bytes) => sum + bytes.length, 0),
      true,
    );
  }
}
