// What the host functions of one process share: its memory, its descriptors, its files, its time. fd-calls, path-calls, poll-call and
// process-calls work on it; wasi.ts puts them together.
import { Blocked, type HomeCall, type HomeResult, type PipeEnd } from "../process/hostcalls.ts";
import { ERRNO, fail, WasiError } from "./errno.ts";
import type { DirectoryNode, FileNode, Files, FilesState, Node } from "./files.ts";

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
  /** The last descriptor for this end of a pipe is closed. Not a call that waits: nobody needs an answer. */
  pipeClosed(pipe: PipeEnd): void;
}

export type Descriptor =
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
export const VIRTUAL_TICK_NS = 1_000n;
export const MAX_DESCRIPTORS = 1024;
export const FILETYPE = { directory: 3, file: 4, link: 7, characterDevice: 2, stream: 6 } as const;
export const RIGHT = { read: 1n << 1n, write: 1n << 6n } as const;

/** Host functions before guarding: an errno, or undefined for success; they may throw WasiError. */
export type Calls = Record<string, (...args: never[]) => number | undefined>;

const decoder = new TextDecoder("utf-8", { fatal: true });

export class WasiContext {
  readonly options: WasiOptions;
  readonly files: Files;
  readonly descriptors = new Map<number, Descriptor>();
  /** Virtual nanoseconds since 1970. */
  clockNs = VIRTUAL_EPOCH_NS;
  private attached: WebAssembly.Memory | undefined;
  private cachedView: DataView | undefined;

  constructor(options: WasiOptions, files: Files) {
    this.options = options;
    this.files = files;
  }

  get memory(): WebAssembly.Memory {
    return this.attached ?? fail(ERRNO.EFAULT);
  }

  attach(memory: WebAssembly.Memory): void {
    this.attached = memory;
  }

  view(): DataView {
    const buffer = this.memory.buffer;
    if (this.cachedView?.buffer !== buffer) this.cachedView = new DataView(buffer);
    return this.cachedView as DataView;
  }

  bytes(pointer: number, length: number): Uint8Array {
    const { buffer } = this.memory;
    const from = pointer >>> 0;
    const count = length >>> 0;
    if (from + count > buffer.byteLength) fail(ERRNO.EFAULT);
    return new Uint8Array(buffer, from, count);
  }

  path(pointer: number, length: number): string {
    try {
      const path = decoder.decode(this.bytes(pointer, length).slice());
      return path.includes("\0") ? fail(ERRNO.EINVAL) : path;
    } catch (thrown) {
      if (thrown instanceof WasiError) throw thrown;
      return fail(ERRNO.EINVAL);
    }
  }

  /** The buffers of an iovec or ciovec array. */
  vectors(pointer: number, count: number): Uint8Array[] {
    const view = this.view();
    if (count >>> 0 > 1024) fail(ERRNO.EINVAL);
    return Array.from({ length: count }, (_, i) =>
      this.bytes(view.getUint32(pointer + 8 * i, true), view.getUint32(pointer + 8 * i + 4, true)),
    );
  }

  descriptor(fd: number): Descriptor {
    return this.descriptors.get(fd) ?? fail(ERRNO.EBADF);
  }

  file(fd: number): Extract<Descriptor, { kind: "file" }> {
    const descriptor = this.descriptor(fd);
    if (descriptor.kind === "file") return descriptor;
    return fail(descriptor.kind === "directory" ? ERRNO.EISDIR : ERRNO.ESPIPE);
  }

  directory(fd: number): DirectoryNode {
    const descriptor = this.descriptor(fd);
    return descriptor.kind === "directory" ? descriptor.node : fail(ERRNO.ENOTDIR);
  }

  newFd(descriptor: Descriptor, from = 0): number {
    for (let fd = from; fd < MAX_DESCRIPTORS; fd++) {
      if (this.descriptors.has(fd)) continue;
      this.descriptors.set(fd, descriptor);
      return fd;
    }
    return fail(ERRNO.EMFILE);
  }

  close(fd: number): void {
    const closing = this.descriptors.get(fd);
    this.descriptors.delete(fd);
    if (closing?.kind !== "pipe") return;
    const { object, end } = closing;
    for (const other of this.descriptors.values())
      if (other.kind === "pipe" && other.object === object && other.end === end) return;
    this.options.pipeClosed({ object, end });
  }

  nowNs(): bigint {
    if (this.options.clock === "host") return BigInt(Math.round(this.options.now() * 1e6));
    this.clockNs += VIRTUAL_TICK_NS;
    return this.clockNs;
  }

  home(call: HomeCall, finish: (result: HomeResult) => number): never {
    throw new Blocked({ kind: "home", call }, finish);
  }

  writeFilestat(pointer: number, descriptor: { type: number; size: number; inode: number; mtimeNs: bigint }): void {
    const view = this.view();
    this.bytes(pointer, 64).fill(0);
    view.setBigUint64(pointer + 8, BigInt(descriptor.inode), true);
    view.setUint8(pointer + 16, descriptor.type);
    view.setBigUint64(pointer + 24, 1n, true);
    view.setBigUint64(pointer + 32, BigInt(descriptor.size), true);
    for (const offset of [40, 48, 56]) view.setBigUint64(pointer + offset, descriptor.mtimeNs, true);
  }

  setTimes(node: Node, mtime: bigint, flags: number): void {
    if ((flags & 4 && flags & 8) || (flags & 1 && flags & 2)) fail(ERRNO.EINVAL);
    if (flags & 4) node.mtimeNs = mtime;
    else if (flags & 8) node.mtimeNs = this.nowNs();
  }
}
