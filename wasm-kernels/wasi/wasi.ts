// The WASI preview1 host of one process: arguments, environment, files, clocks, random, and the process functions of the Nightshift
// overlay (fork, wait, pipes, kill). Deterministic: by default time is virtual and random is seeded.
//
// Reference: wasi_snapshot_preview1 witx. Every function returns an errno; a pointer outside memory is EFAULT. A function that must
// wait throws Blocked before it has changed anything, and works again when called again with the same arguments.
import { Blocked, Exited, type HomeCall, type HomeResult, type HostFunction } from "../process/hostcalls.ts";
import { ERRNO, fail, WasiError } from "./errno.ts";
import { type DirectoryNode, type FileNode, Files, type FilesState, type Node } from "./files.ts";
import { SeededRandom } from "./random.ts";

export interface WasiOptions {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Input files by relative path; never changed. */
  files: ReadonlyMap<string, Uint8Array>;
  clock: "virtual" | "host";
  seed: string;
  /** Milliseconds since 1970, for `clock: "host"`. */
  now(): number;
  write(stream: 1 | 2, bytes: Uint8Array): void;
  /** false: too much output is on its way already; the program waits before it writes more. */
  mayWrite(): boolean;
}

type Descriptor =
  | { kind: "output"; stream: 1 | 2 }
  | { kind: "pipe"; object: number; end: "read" | "write" }
  | { kind: "file"; node: FileNode; position: number; flags: number; read: boolean; write: boolean }
  | { kind: "directory"; node: DirectoryNode; preopened: boolean };

export interface WasiState {
  clockNs: bigint;
  /** The seed the random state grew from: a process restored with another one (a fork's child) draws other numbers. */
  seed: string;
  random: number[];
  /** Descriptors that share one open file share its number here. */
  open: (
    | { kind: "output"; stream: 1 | 2 }
    | { kind: "pipe"; object: number; end: "read" | "write" }
    | { kind: "file"; inode: number; position: number; flags: number; read: boolean; write: boolean }
    | { kind: "directory"; inode: number; preopened: boolean }
  )[];
  /** [fd, index into `open`] */
  fds: [number, number][];
  files: FilesState;
}

/** Virtual time: begins here and passes by this much with every look at the clock, so that loops that wait for time end. */
const VIRTUAL_EPOCH_NS = 1_700_000_000_000_000_000n;
const VIRTUAL_TICK_NS = 1_000n;
const MAX_DESCRIPTORS = 1024;
/** Most bytes one read or write of a pipe carries; a program sees a short read or write, as POSIX allows. */
const MAX_PIPE_BYTES = 64 * 1024;
const FILETYPE = { directory: 3, file: 4, link: 7, characterDevice: 2, stream: 6 } as const;
const FDFLAG_APPEND = 1;
const OFLAG = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
const RIGHT = { read: 1n << 1n, write: 1n << 6n } as const;
const ALL_RIGHTS = (1n << 30n) - 1n;
const WNOHANG = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export class Wasi {
  readonly functions: Record<string, HostFunction>;
  readonly processFunctions: Record<string, HostFunction>;
  private readonly options: WasiOptions;
  private readonly files: Files;
  private readonly descriptors = new Map<number, Descriptor>();
  private readonly random: SeededRandom;
  private clockNs = VIRTUAL_EPOCH_NS;
  private memory: WebAssembly.Memory | undefined;
  private readonly args: Uint8Array[];
  private readonly env: Uint8Array[];
  private cachedView: DataView | undefined;

  constructor(options: WasiOptions, state?: WasiState) {
    this.options = options;
    this.args = options.args.map((arg) => encoder.encode(`${arg}\0`));
    this.env = Object.entries(options.env).map(([name, value]) => encoder.encode(`${name}=${value}\0`));
    this.files = new Files(options.files);
    this.random = new SeededRandom(state?.seed === options.seed ? state.random : options.seed);
    if (state) this.load(state);
    else {
      this.descriptors.set(0, { kind: "pipe", object: 0, end: "read" });
      this.descriptors.set(1, { kind: "output", stream: 1 });
      this.descriptors.set(2, { kind: "output", stream: 2 });
      this.descriptors.set(3, { kind: "directory", node: this.files.root, preopened: true });
    }
    this.functions = this.guarded(this.wasiFunctions());
    this.processFunctions = this.overlayFunctions();
  }

  attach(memory: WebAssembly.Memory): void {
    this.memory = memory;
  }

  changedFiles(): Map<string, Uint8Array | null> {
    return this.files.changed();
  }

  // ---- state

  state(): WasiState {
    const open: WasiState["open"] = [];
    const index = new Map<Descriptor, number>();
    const fds: [number, number][] = [];
    for (const [fd, descriptor] of [...this.descriptors].sort((a, b) => a[0] - b[0])) {
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
      clockNs: this.clockNs,
      seed: this.options.seed,
      random: this.random.state(),
      open,
      fds,
      files: this.files.state(nodes),
    };
  }

  private load(state: WasiState): void {
    const nodes = this.files.restore(state.files);
    const open = state.open.map((item): Descriptor => {
      if (item.kind === "file") return { ...item, node: nodes.get(item.inode) as FileNode };
      if (item.kind === "directory")
        return { kind: "directory", preopened: item.preopened, node: nodes.get(item.inode) as DirectoryNode };
      return { ...item };
    });
    for (const [fd, index] of state.fds) this.descriptors.set(fd, open[index]);
    this.clockNs = BigInt(state.clockNs);
  }

  // ---- memory

  private view(): DataView {
    const buffer = (this.memory as WebAssembly.Memory).buffer;
    if (this.cachedView?.buffer !== buffer) this.cachedView = new DataView(buffer);
    return this.cachedView as DataView;
  }

  private bytes(pointer: number, length: number): Uint8Array {
    const { buffer } = this.memory as WebAssembly.Memory;
    const from = pointer >>> 0;
    const count = length >>> 0;
    if (from + count > buffer.byteLength) fail(ERRNO.EFAULT);
    return new Uint8Array(buffer, from, count);
  }

  private path(pointer: number, length: number): string {
    try {
      const path = decoder.decode(this.bytes(pointer, length).slice());
      return path.includes("\0") ? fail(ERRNO.EINVAL) : path;
    } catch (thrown) {
      if (thrown instanceof WasiError) throw thrown;
      return fail(ERRNO.EINVAL);
    }
  }

  /** The buffers of an iovec or ciovec array. */
  private vectors(pointer: number, count: number): Uint8Array[] {
    const view = this.view();
    if (count >>> 0 > 1024) fail(ERRNO.EINVAL);
    return Array.from({ length: count }, (_, i) =>
      this.bytes(view.getUint32(pointer + 8 * i, true), view.getUint32(pointer + 8 * i + 4, true)),
    );
  }

  /** Turns WasiError into its number and a pointer outside memory into EFAULT. */
  private guarded(functions: Record<string, (...args: never[]) => number | undefined>): Record<string, HostFunction> {
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

  // ---- descriptors

  private descriptor(fd: number): Descriptor {
    return this.descriptors.get(fd) ?? fail(ERRNO.EBADF);
  }

  private file(fd: number): Extract<Descriptor, { kind: "file" }> {
    const descriptor = this.descriptor(fd);
    if (descriptor.kind === "file") return descriptor;
    return fail(descriptor.kind === "directory" ? ERRNO.EISDIR : ERRNO.ESPIPE);
  }

  private directory(fd: number): DirectoryNode {
    const descriptor = this.descriptor(fd);
    return descriptor.kind === "directory" ? descriptor.node : fail(ERRNO.ENOTDIR);
  }

  private newFd(descriptor: Descriptor, from = 0): number {
    for (let fd = from; fd < MAX_DESCRIPTORS; fd++) {
      if (this.descriptors.has(fd)) continue;
      this.descriptors.set(fd, descriptor);
      return fd;
    }
    return fail(ERRNO.EMFILE);
  }

  /** Is this the last descriptor for its end of its pipe? Then the home must hear of its closing. */
  private lastOfPipe(fd: number): Extract<Descriptor, { kind: "pipe" }> | undefined {
    const closing = this.descriptors.get(fd);
    if (closing?.kind !== "pipe") return undefined;
    for (const [other, d] of this.descriptors)
      if (other !== fd && d.kind === "pipe" && d.object === closing.object && d.end === closing.end) return undefined;
    return closing;
  }

  /** Closes fd, telling the home about a pipe's last descriptor first. `then` runs when it is closed. */
  private close(fd: number, then: () => number): number {
    const pipe = this.lastOfPipe(fd);
    if (!pipe) {
      this.descriptors.delete(fd);
      return then();
    }
    throw new Blocked({ kind: "home", call: { call: "close", object: pipe.object, end: pipe.end } }, () => {
      this.descriptors.delete(fd);
      return then();
    });
  }

  private nowNs(): bigint {
    if (this.options.clock === "host") return BigInt(Math.round(this.options.now() * 1e6));
    this.clockNs += VIRTUAL_TICK_NS;
    return this.clockNs;
  }

  private home(call: HomeCall, finish: (result: HomeResult) => number): never {
    throw new Blocked({ kind: "home", call }, finish);
  }

  // ---- reading and writing

  private readInto(fd: number, vectors: Uint8Array[], countPointer: number): number | undefined {
    const descriptor = this.descriptor(fd);
    const total = vectors.reduce((sum, vector) => sum + vector.length, 0);
    if (descriptor.kind === "file") {
      if (!descriptor.read) fail(ERRNO.EBADF);
      const count = this.readFile(descriptor.node, descriptor.position, vectors);
      descriptor.position += count;
      this.view().setUint32(countPointer, count, true);
      return undefined;
    }
    if (descriptor.kind === "directory") fail(ERRNO.EISDIR);
    if (descriptor.kind !== "pipe" || descriptor.end !== "read") return fail(ERRNO.EBADF);
    if (total === 0) {
      this.view().setUint32(countPointer, 0, true);
      return undefined;
    }
    return this.home({ call: "read", object: descriptor.object, maxBytes: Math.min(total, MAX_PIPE_BYTES) }, (result) => {
      if (result.value < 0) return -result.value;
      let rest = result.bytes ?? new Uint8Array(0);
      this.view().setUint32(countPointer, rest.length, true);
      for (const vector of vectors) {
        const target = new Uint8Array((this.memory as WebAssembly.Memory).buffer, vector.byteOffset, vector.byteLength);
        target.set(rest.subarray(0, target.length));
        rest = rest.subarray(Math.min(rest.length, target.length));
      }
      return ERRNO.SUCCESS;
    });
  }

  private readFile(file: FileNode, position: number, vectors: readonly Uint8Array[]): number {
    let count = 0;
    for (const vector of vectors) {
      const read = this.files.read(file, position + count, vector);
      count += read;
      if (read < vector.length) break;
    }
    return count;
  }

  private writeFrom(fd: number, vectors: readonly Uint8Array[], countPointer: number): number | undefined {
    const descriptor = this.descriptor(fd);
    if (descriptor.kind === "directory") fail(ERRNO.EISDIR);
    const bytes = joined(vectors, descriptor.kind === "pipe" ? MAX_PIPE_BYTES : Number.POSITIVE_INFINITY);
    if (descriptor.kind === "output") {
      if (bytes.length > 0) {
        if (!this.options.mayWrite())
          throw new Blocked({ kind: "output" }, () => this.writeOutput(descriptor.stream, bytes, countPointer));
        return this.writeOutput(descriptor.stream, bytes, countPointer);
      }
    } else if (descriptor.kind === "file") {
      if (!descriptor.write) fail(ERRNO.EBADF);
      const at = descriptor.flags & FDFLAG_APPEND ? descriptor.node.size : descriptor.position;
      this.files.write(descriptor.node, at, bytes, this.nowNs());
      descriptor.position = at + bytes.length;
    } else if (descriptor.kind === "pipe") {
      if (descriptor.end !== "write") fail(ERRNO.EBADF);
      return this.home({ call: "write", object: descriptor.object, bytes }, (result) => {
        if (result.value < 0) return -result.value;
        this.view().setUint32(countPointer, result.value, true);
        return ERRNO.SUCCESS;
      });
    }
    this.view().setUint32(countPointer, bytes.length, true);
    return undefined;
  }

  private writeOutput(stream: 1 | 2, bytes: Uint8Array, countPointer: number): number {
    this.options.write(stream, bytes);
    this.view().setUint32(countPointer, bytes.length, true);
    return ERRNO.SUCCESS;
  }

  private writeFilestat(pointer: number, descriptor: { type: number; size: number; inode: number; mtimeNs: bigint }): void {
    const view = this.view();
    this.bytes(pointer, 64).fill(0);
    view.setBigUint64(pointer + 8, BigInt(descriptor.inode), true);
    view.setUint8(pointer + 16, descriptor.type);
    view.setBigUint64(pointer + 24, 1n, true);
    view.setBigUint64(pointer + 32, BigInt(descriptor.size), true);
    for (const offset of [40, 48, 56]) view.setBigUint64(pointer + offset, descriptor.mtimeNs, true);
  }

  private setTimes(node: Node, mtime: bigint, flags: number): void {
    if ((flags & 4 && flags & 8) || (flags & 1 && flags & 2)) fail(ERRNO.EINVAL);
    if (flags & 4) node.mtimeNs = mtime;
    else if (flags & 8) node.mtimeNs = this.nowNs();
  }

  private writeStrings(strings: readonly Uint8Array[], pointers: number, buffer: number): undefined {
    let at = buffer;
    strings.forEach((bytes, i) => {
      this.view().setUint32(pointers + 4 * i, at, true);
      this.bytes(at, bytes.length).set(bytes);
      at += bytes.length;
    });
  }

  private writeSizes(strings: readonly Uint8Array[], count: number, size: number): undefined {
    this.view().setUint32(count, strings.length, true);
    this.view().setUint32(
      size,
      strings.reduce((sum, bytes) => sum + bytes.length, 0),
      true,
    );
  }

  private wasiFunctions(): Record<string, (...args: never[]) => number | undefined> {
    return {
      args_sizes_get: (count: number, size: number) => this.writeSizes(this.args, count, size),
      args_get: (pointers: number, buffer: number) => this.writeStrings(this.args, pointers, buffer),
      environ_sizes_get: (count: number, size: number) => this.writeSizes(this.env, count, size),
      environ_get: (pointers: number, buffer: number) => this.writeStrings(this.env, pointers, buffer),
      clock_res_get: (id: number, pointer: number) => {
        if (id >>> 0 > 3) fail(ERRNO.EINVAL);
        this.view().setBigUint64(pointer, VIRTUAL_TICK_NS, true);
        return undefined;
      },
      clock_time_get: (id: number, _precision: bigint, pointer: number) => {
        if (id >>> 0 > 3) fail(ERRNO.EINVAL);
        this.view().setBigUint64(pointer, this.nowNs(), true);
        return undefined;
      },
      random_get: (pointer: number, length: number) => {
        this.random.fill(this.bytes(pointer, length));
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
        this.poll(subscriptions, events, count, countPointer),
      sock_accept: () => ERRNO.ENOTSUP,
      sock_recv: () => ERRNO.ENOTSUP,
      sock_send: () => ERRNO.ENOTSUP,
      sock_shutdown: () => ERRNO.ENOTSUP,
      ...this.descriptorFunctions(),
      ...this.pathFunctions(),
    };
  }

  private descriptorFunctions(): Record<string, (...args: never[]) => number | undefined> {
    return {
      fd_advise: (fd: number) => void this.file(fd),
      fd_allocate: (fd: number, offset: bigint, length: bigint) => {
        const { node } = this.file(fd);
        if (Number(offset + length) > node.size) this.files.resize(node, Number(offset + length), this.nowNs());
        return undefined;
      },
      fd_close: (fd: number) => {
        this.descriptor(fd);
        return this.close(fd, () => ERRNO.SUCCESS);
      },
      fd_datasync: (fd: number) => void this.descriptor(fd),
      fd_sync: (fd: number) => void this.descriptor(fd),
      fd_fdstat_get: (fd: number, pointer: number) => {
        const descriptor = this.descriptor(fd);
        this.bytes(pointer, 24).fill(0);
        const view = this.view();
        const type = {
          output: FILETYPE.characterDevice,
          pipe: FILETYPE.stream,
          file: FILETYPE.file,
          directory: FILETYPE.directory,
        }[descriptor.kind];
        view.setUint8(pointer, type);
        view.setUint16(pointer + 2, descriptor.kind === "file" ? descriptor.flags : 0, true);
        // Only a character device without seek and tell rights is a terminal to isatty(); our streams are none.
        let rights = ALL_RIGHTS;
        if (descriptor.kind === "file")
          rights = ALL_RIGHTS & ~((descriptor.read ? 0n : RIGHT.read) | (descriptor.write ? 0n : RIGHT.write));
        view.setBigUint64(pointer + 8, rights, true);
        view.setBigUint64(pointer + 16, descriptor.kind === "directory" ? ALL_RIGHTS : 0n, true);
        return undefined;
      },
      fd_fdstat_set_flags: (fd: number, flags: number) => {
        const descriptor = this.descriptor(fd);
        if (descriptor.kind === "file") descriptor.flags = flags;
        return undefined;
      },
      fd_fdstat_set_rights: (fd: number) => void this.descriptor(fd),
      fd_filestat_get: (fd: number, pointer: number) => {
        const descriptor = this.descriptor(fd);
        if (descriptor.kind === "file")
          this.writeFilestat(pointer, {
            type: FILETYPE.file,
            size: descriptor.node.size,
            inode: descriptor.node.inode,
            mtimeNs: descriptor.node.mtimeNs,
          });
        else if (descriptor.kind === "directory")
          this.writeFilestat(pointer, {
            type: FILETYPE.directory,
            size: 0,
            inode: descriptor.node.inode,
            mtimeNs: descriptor.node.mtimeNs,
          });
        else
          this.writeFilestat(pointer, {
            type: descriptor.kind === "pipe" ? FILETYPE.stream : FILETYPE.characterDevice,
            size: 0,
            inode: 0,
            mtimeNs: 0n,
          });
        return undefined;
      },
      fd_filestat_set_size: (fd: number, size: bigint) => {
        const descriptor = this.file(fd);
        if (!descriptor.write) fail(ERRNO.EBADF);
        this.files.resize(descriptor.node, Number(size), this.nowNs());
        return undefined;
      },
      fd_filestat_set_times: (fd: number, _atime: bigint, mtime: bigint, flags: number) => {
        const descriptor = this.descriptor(fd);
        if ("node" in descriptor) this.setTimes(descriptor.node, mtime, flags);
        return undefined;
      },
      fd_prestat_get: (fd: number, pointer: number) => {
        const descriptor = this.descriptors.get(fd);
        if (descriptor?.kind !== "directory" || !descriptor.preopened) return ERRNO.EBADF;
        this.view().setUint32(pointer, 0, true);
        this.view().setUint32(pointer + 4, 1, true);
        return undefined;
      },
      fd_prestat_dir_name: (fd: number, pointer: number, length: number) => {
        const descriptor = this.descriptors.get(fd);
        if (descriptor?.kind !== "directory" || !descriptor.preopened) return ERRNO.EBADF;
        if (length < 1) return ERRNO.ENAMETOOLONG;
        this.bytes(pointer, 1)[0] = 0x2e; // "."
        return undefined;
      },
      fd_read: (fd: number, vectors: number, count: number, countPointer: number) =>
        this.readInto(fd, this.vectors(vectors, count), countPointer),
      fd_pread: (fd: number, vectors: number, count: number, offset: bigint, countPointer: number) => {
        const descriptor = this.file(fd);
        if (!descriptor.read) fail(ERRNO.EBADF);
        this.view().setUint32(countPointer, this.readFile(descriptor.node, Number(offset), this.vectors(vectors, count)), true);
        return undefined;
      },
      fd_write: (fd: number, vectors: number, count: number, countPointer: number) =>
        this.writeFrom(fd, this.vectors(vectors, count), countPointer),
      fd_pwrite: (fd: number, vectors: number, count: number, offset: bigint, countPointer: number) => {
        const descriptor = this.file(fd);
        if (!descriptor.write) fail(ERRNO.EBADF);
        const bytes = joined(this.vectors(vectors, count), Number.POSITIVE_INFINITY);
        this.files.write(descriptor.node, Number(offset), bytes, this.nowNs());
        this.view().setUint32(countPointer, bytes.length, true);
        return undefined;
      },
      fd_readdir: (fd: number, buffer: number, length: number, cookie: bigint, usedPointer: number) =>
        this.readDirectory(this.directory(fd), buffer, length, Number(cookie), usedPointer),
      fd_renumber: (from: number, to: number) => {
        const descriptor = this.descriptor(from);
        this.descriptor(to);
        if (from === to) return undefined;
        const move = (): number => {
          this.descriptors.set(to, descriptor);
          this.descriptors.delete(from);
          return ERRNO.SUCCESS;
        };
        return this.close(to, move);
      },
      fd_seek: (fd: number, offset: bigint, whence: number, pointer: number) => {
        const descriptor = this.file(fd);
        const base = [0, descriptor.position, descriptor.node.size][whence] ?? fail(ERRNO.EINVAL);
        const position = base + Number(offset);
        if (position < 0) fail(ERRNO.EINVAL);
        descriptor.position = position;
        this.view().setBigUint64(pointer, BigInt(position), true);
        return undefined;
      },
      fd_tell: (fd: number, pointer: number) => {
        this.view().setBigUint64(pointer, BigInt(this.file(fd).position), true);
        return undefined;
      },
    };
  }

  private readDirectory(
    directory: DirectoryNode,
    buffer: number,
    length: number,
    cookie: number,
    usedPointer: number,
  ): undefined {
    const entries: [string, Node][] = [
      [".", directory],
      ["..", directory],
      ...[...directory.entries].sort((a, b) => (a[0] < b[0] ? -1 : 1)),
    ];
    const target = this.bytes(buffer, length);
    let used = 0;
    for (let i = cookie; i < entries.length && used < target.length; i++) {
      const [name, node] = entries[i];
      const bytes = encoder.encode(name);
      const entry = new Uint8Array(24 + bytes.length);
      const view = new DataView(entry.buffer);
      view.setBigUint64(0, BigInt(i + 1), true);
      view.setBigUint64(8, BigInt(node.inode), true);
      view.setUint32(16, bytes.length, true);
      view.setUint8(20, FILETYPE[node.kind]);
      entry.set(bytes, 24);
      const part = entry.subarray(0, target.length - used);
      target.set(part, used);
      used += part.length;
    }
    this.view().setUint32(usedPointer, used, true);
  }

  private pathFunctions(): Record<string, (...args: never[]) => number | undefined> {
    const parentForNew = (fd: number, pointer: number, length: number): { parent: DirectoryNode; name: string } => {
      const path = this.path(pointer, length);
      const found = this.files.lookup(this.directory(fd), path, false);
      if (found.node) fail(ERRNO.EEXIST);
      return found;
    };
    return {
      path_open: (
        fd: number,
        lookupFlags: number,
        pointer: number,
        length: number,
        oflags: number,
        rights: bigint,
        _inheriting: bigint,
        fdflags: number,
        fdPointer: number,
      ) => this.open(this.directory(fd), this.path(pointer, length), (lookupFlags & 1) !== 0, oflags, rights, fdflags, fdPointer),
      path_create_directory: (fd: number, pointer: number, length: number) => {
        const { parent, name } = parentForNew(fd, pointer, length);
        parent.entries.set(name, this.files.newDirectory(this.nowNs()));
        return undefined;
      },
      path_filestat_get: (fd: number, flags: number, pointer: number, length: number, target: number) => {
        const { node } = this.files.lookup(this.directory(fd), this.path(pointer, length), (flags & 1) !== 0);
        if (!node) return ERRNO.ENOENT;
        const size = node.kind === "file" ? node.size : node.kind === "link" ? encoder.encode(node.target).length : 0;
        this.writeFilestat(target, { type: FILETYPE[node.kind], size, inode: node.inode, mtimeNs: node.mtimeNs });
        return undefined;
      },
      path_filestat_set_times: (
        fd: number,
        flags: number,
        pointer: number,
        length: number,
        _atime: bigint,
        mtime: bigint,
        fstflags: number,
      ) => {
        const { node } = this.files.lookup(this.directory(fd), this.path(pointer, length), (flags & 1) !== 0);
        if (!node) return ERRNO.ENOENT;
        this.setTimes(node, mtime, fstflags);
        return undefined;
      },
      path_link: (
        fd: number,
        flags: number,
        pointer: number,
        length: number,
        newFd: number,
        newPointer: number,
        newLength: number,
      ) => {
        const { node } = this.files.lookup(this.directory(fd), this.path(pointer, length), (flags & 1) !== 0);
        if (!node) return ERRNO.ENOENT;
        if (node.kind === "directory") return ERRNO.EPERM;
        const { parent, name } = parentForNew(newFd, newPointer, newLength);
        parent.entries.set(name, node);
        return undefined;
      },
      path_readlink: (fd: number, pointer: number, length: number, buffer: number, bufferLength: number, usedPointer: number) => {
        const { node } = this.files.lookup(this.directory(fd), this.path(pointer, length), false);
        if (!node) return ERRNO.ENOENT;
        if (node.kind !== "link") return ERRNO.EINVAL;
        const bytes = encoder.encode(node.target).subarray(0, bufferLength);
        this.bytes(buffer, bytes.length).set(bytes);
        this.view().setUint32(usedPointer, bytes.length, true);
        return undefined;
      },
      path_symlink: (pointer: number, length: number, fd: number, newPointer: number, newLength: number) => {
        const target = this.path(pointer, length);
        if (target.startsWith("/")) return ERRNO.ENOTCAPABLE;
        const { parent, name } = parentForNew(fd, newPointer, newLength);
        parent.entries.set(name, this.files.newLink(target, this.nowNs()));
        return undefined;
      },
      path_remove_directory: (fd: number, pointer: number, length: number) => {
        const { parent, name, node } = this.files.lookup(this.directory(fd), this.path(pointer, length), false);
        if (!node) return ERRNO.ENOENT;
        if (node.kind !== "directory") return ERRNO.ENOTDIR;
        if (node.entries.size > 0) return ERRNO.ENOTEMPTY;
        if (name === ".") return ERRNO.EINVAL;
        parent.entries.delete(name);
        return undefined;
      },
      path_unlink_file: (fd: number, pointer: number, length: number) => {
        const { parent, name, node } = this.files.lookup(this.directory(fd), this.path(pointer, length), false);
        if (!node) return ERRNO.ENOENT;
        if (node.kind === "directory") return ERRNO.EISDIR;
        parent.entries.delete(name);
        return undefined;
      },
      path_rename: (fd: number, pointer: number, length: number, newFd: number, newPointer: number, newLength: number) => {
        const from = this.files.lookup(this.directory(fd), this.path(pointer, length), false);
        const to = this.files.lookup(this.directory(newFd), this.path(newPointer, newLength), false);
        if (!from.node) return ERRNO.ENOENT;
        if (from.name === "." || to.name === ".") return ERRNO.EINVAL;
        if (from.node === to.node) return undefined;
        if (to.node?.kind === "directory") {
          if (from.node.kind !== "directory") return ERRNO.EISDIR;
          if (to.node.entries.size > 0) return ERRNO.ENOTEMPTY;
        } else if (to.node && from.node.kind === "directory") return ERRNO.ENOTDIR;
        if (from.node.kind === "directory" && contains(from.node, to.parent)) return ERRNO.EINVAL;
        from.parent.entries.delete(from.name);
        to.parent.entries.set(to.name, from.node);
        return undefined;
      },
    };
  }

  private open(
    directory: DirectoryNode,
    path: string,
    follow: boolean,
    oflags: number,
    rights: bigint,
    fdflags: number,
    fdPointer: number,
  ): undefined {
    const { parent, name, node } = this.files.lookup(directory, path, follow);
    let target = node;
    if (target && oflags & OFLAG.create && oflags & OFLAG.exclusive) fail(ERRNO.EEXIST);
    if (target?.kind === "link") fail(ERRNO.ELOOP);
    if (!target) {
      if (!(oflags & OFLAG.create)) fail(ERRNO.ENOENT);
      if (path.endsWith("/")) fail(ERRNO.EISDIR);
      target = this.files.newFile(this.nowNs());
      parent.entries.set(name, target);
    }
    const read = (rights & RIGHT.read) !== 0n;
    const write = (rights & RIGHT.write) !== 0n;
    let descriptor: Descriptor;
    if (target.kind === "directory") {
      if (write && oflags & (OFLAG.create | OFLAG.truncate)) fail(ERRNO.EISDIR);
      descriptor = { kind: "directory", node: target, preopened: false };
    } else {
      if (oflags & OFLAG.directory) fail(ERRNO.ENOTDIR);
      if (oflags & OFLAG.truncate) this.files.resize(target as FileNode, 0, this.nowNs());
      descriptor = { kind: "file", node: target as FileNode, position: 0, flags: fdflags, read, write };
    }
    this.view().setUint32(fdPointer, this.newFd(descriptor, 3), true);
  }

  /** Waits for the earliest clock; files and pipes are always reported ready (a read or write waits by itself). */
  private poll(subscriptions: number, events: number, count: number, countPointer: number): number | undefined {
    if (count === 0) return ERRNO.EINVAL;
    const view = this.view();
    const ready: { userdata: bigint; type: number }[] = [];
    const clocks: { userdata: bigint; delayNs: bigint }[] = [];
    const began = this.options.clock === "host" ? this.nowNs() : this.clockNs;
    for (let i = 0; i < count; i++) {
      const at = subscriptions + 48 * i;
      const userdata = view.getBigUint64(at, true);
      const type = view.getUint8(at + 8);
      if (type !== 0) {
        ready.push({ userdata, type });
        continue;
      }
      const timeout = view.getBigUint64(at + 24, true);
      const absolute = (view.getUint16(at + 40, true) & 1) !== 0;
      const delayNs = absolute ? timeout - began : timeout;
      clocks.push({ userdata, delayNs: delayNs > 0n ? delayNs : 0n });
    }
    const report = (list: readonly { userdata: bigint; type: number }[]): number => {
      const target = this.view();
      list.forEach(({ userdata, type }, k) => {
        this.bytes(events + 32 * k, 32).fill(0);
        target.setBigUint64(events + 32 * k, userdata, true);
        target.setUint8(events + 32 * k + 10, type);
      });
      target.setUint32(countPointer, list.length, true);
      return ERRNO.SUCCESS;
    };
    if (ready.length > 0) return report(ready);
    const shortest = clocks.reduce((least, clock) => (clock.delayNs < least ? clock.delayNs : least), clocks[0].delayNs);
    throw new Blocked({ kind: "sleep", ms: Number(shortest) / 1e6 }, () => {
      if (this.options.clock === "virtual") this.clockNs += shortest;
      return report(clocks.filter((clock) => clock.delayNs === shortest).map(({ userdata }) => ({ userdata, type: 0 })));
    });
  }

  // ---- the process functions of the libc overlay: results are values or negated error numbers

  private overlayFunctions(): Record<string, HostFunction> {
    const negated = (work: () => number): number => {
      try {
        return work();
      } catch (thrown) {
        if (thrown instanceof WasiError) return -thrown.errno;
        if (thrown instanceof RangeError) return -ERRNO.EFAULT;
        throw thrown;
      }
    };
    return {
      fork: () => this.home({ call: "fork" }, (result) => result.value),
      wait: (target: number, options: number, statusPointer: number) =>
        negated(() => {
          if (statusPointer !== 0) this.bytes(statusPointer, 4);
          return this.home({ call: "wait", target, noHang: (options & WNOHANG) !== 0 }, (result) => {
            if (result.value > 0 && statusPointer !== 0) this.view().setInt32(statusPointer, result.status ?? 0, true);
            return result.value;
          });
        }),
      kill: (pid: number, signal: number) => this.home({ call: "kill", target: pid, signal }, (result) => result.value),
      pipe: (fdsPointer: number) =>
        negated(() => {
          this.bytes(fdsPointer, 8);
          return this.home({ call: "pipe" }, (result) => {
            if (result.value < 0) return result.value;
            return negated(() => {
              const readFd = this.newFd({ kind: "pipe", object: result.value, end: "read" });
              const writeFd = this.newFd({ kind: "pipe", object: result.value, end: "write" });
              this.view().setInt32(fdsPointer, readFd, true);
              this.view().setInt32(fdsPointer + 4, writeFd, true);
              return 0;
            });
          });
        }),
      dup: (fd: number, target: number) =>
        negated(() => {
          const descriptor = this.descriptor(fd);
          if (target < 0) return this.newFd(descriptor);
          if (target >= MAX_DESCRIPTORS) return -ERRNO.EBADF;
          if (target === fd) return fd;
          const place = (): number => {
            this.descriptors.set(target, descriptor);
            return target;
          };
          return this.descriptors.has(target) ? this.close(target, place) : place();
        }),
    };
  }
}

function joined(vectors: readonly Uint8Array[], limit: number): Uint8Array {
  const total = Math.min(
    limit,
    vectors.reduce((sum, vector) => sum + vector.length, 0),
  );
  const result = new Uint8Array(total);
  let at = 0;
  for (const vector of vectors) {
    const part = vector.subarray(0, total - at);
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function contains(directory: DirectoryNode, wanted: DirectoryNode): boolean {
  if (directory === wanted) return true;
  for (const node of directory.entries.values()) if (node.kind === "directory" && contains(node, wanted)) return true;
  return false;
}
