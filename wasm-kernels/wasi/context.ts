// What the host functions of one process share: its memory, its descriptors, its files, its time. fd-calls, path-calls, poll-call and
// process-calls work on it; wasi.ts puts them together.
import { Blocked, type HomeCall, type HomeResult, type PipeEnd } from "../process/hostcalls.ts";
import { isFixed } from "./devices.ts";
import { ERRNO, fail } from "./errno.ts";
import { bytesOf, type Files, MAX_PATH } from "./files.ts";
import type { DescriptorNode, DeviceNode, DirectoryNode, FileNode, Node } from "./nodes.ts";
import type { PollProgress } from "./poll-call.ts";
import type { SeededRandom } from "./random.ts";
import { RIGHTS } from "./rights.ts";

export interface WasiOptions {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Input files by relative path; never changed. */
  files: ReadonlyMap<string, Uint8Array>;
  /** The preopened directories, from descriptor 3 on: name for the program -> folder among the files. { "/": "" } unless told. */
  preopens?: Readonly<Record<string, string>> | undefined;
  clock: "virtual" | "host";
  seed: string;
  /** Milliseconds since 1970, for `clock: "host"`. */
  now(): number;
  /** CPU time of the process in milliseconds, for `clock: "host"`. */
  cpuMs(): number;
  write(stream: 1 | 2, bytes: Uint8Array): void;
  /** false: too much output is on its way already; the program waits before it writes more. */
  mayWrite(): boolean;
  /** The last descriptor for this end of a pipe is closed. Not a call that waits: nobody needs an answer. */
  pipeClosed(pipe: PipeEnd): void;
}

interface Open {
  rights: number;
  /** For what is opened from it; 0 unless it is a directory. */
  inheriting: number;
  /** FDFLAG bits. */
  flags: number;
  /** Descriptor numbers that are this one: dup() makes more. */
  fds: number;
}

export type Descriptor = Open &
  (
    | { kind: "output"; stream: 1 | 2 }
    | ({ kind: "pipe" } & PipeEnd)
    | { kind: "file"; node: FileNode; position: number }
    | { kind: "device"; node: DeviceNode }
    /** preopen: its name for the program, when it is one of those that were open from the beginning. */
    | { kind: "directory"; node: DirectoryNode; preopen: string | null }
  );
export type OpenFile = Extract<Descriptor, { kind: "file" }>;
export type OpenDevice = Extract<Descriptor, { kind: "device" }>;
export type OpenDirectory = Extract<Descriptor, { kind: "directory" }>;

/** Virtual time: begins here and passes by this much with every look at the clock, so that loops that wait for time end. */
export const VIRTUAL_EPOCH_NS = 1_700_000_000_000_000_000n;
export const CLOCK_TICK_NS = 1_000n;
export const CLOCK = { realtime: 0, monotonic: 1, processCpu: 2, threadCpu: 3 } as const;
export const MAX_DESCRIPTORS = 1024;
/** Of nodes and descriptors. What a descriptor's name stands for is told where it is looked up. */
export const FILETYPE = { descriptor: 0, output: 2, device: 2, directory: 3, file: 4, pipe: 6, link: 7 } as const;
export const FDFLAG = { append: 1, nonblock: 4, all: 31 } as const;
/** Set the access or modification time: to the value given, or to now. */
const FSTFLAG = { atime: 1, atimeNow: 2, mtime: 4, mtimeNow: 8, all: 15 } as const;
/** Device numbers of what is in files, and of streams. */
const DEVICE = { files: 1n, streams: 2n } as const;
const MAX_VECTORS = 1024;
/** Most bytes of one read or write: a count beyond would be negative to the program. */
const MAX_TRANSFER = 2 ** 31 - 1;

/** Host functions before guarding: an errno, or undefined for success; they may throw WasiError. */
export type Calls = Record<string, (...args: never[]) => number | undefined>;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class WasiContext {
  readonly options: WasiOptions;
  readonly files: Files;
  readonly random: SeededRandom;
  readonly descriptors = new Map<number, Descriptor>();
  /** Virtual: nanoseconds since 1970. Host: the latest monotonic time told, as the clocks of two hosts may differ. */
  clockNs = VIRTUAL_EPOCH_NS;
  /** Of the poll it waits in. */
  poll: PollProgress | null = null;
  private attached: WebAssembly.Memory | undefined;
  private cachedView: DataView | undefined;

  constructor(options: WasiOptions, files: Files, random: SeededRandom) {
    this.options = options;
    this.files = files;
    this.random = random;
  }

  // ---- memory: pointers come as signed numbers; all of these throw EFAULT for what lies outside

  attach(memory: WebAssembly.Memory): void {
    this.attached = memory;
  }

  private view(): DataView {
    const buffer = this.attached?.buffer ?? fail(ERRNO.EFAULT);
    if (this.cachedView?.buffer !== buffer) this.cachedView = new DataView(buffer);
    return this.cachedView as DataView;
  }

  /** Where these bytes are in memory. Functions check where results go before they change anything. */
  at(pointer: number, length: number): number {
    const from = pointer >>> 0;
    if (from + length > this.view().byteLength) fail(ERRNO.EFAULT);
    return from;
  }

  bytes(pointer: number, length: number): Uint8Array {
    const from = this.at(pointer, length >>> 0);
    return new Uint8Array(this.view().buffer, from, length >>> 0);
  }

  getU8(pointer: number): number {
    return this.view().getUint8(this.at(pointer, 1));
  }

  getU16(pointer: number): number {
    return this.view().getUint16(this.at(pointer, 2), true);
  }

  getU32(pointer: number): number {
    return this.view().getUint32(this.at(pointer, 4), true);
  }

  getU64(pointer: number): bigint {
    return this.view().getBigUint64(this.at(pointer, 8), true);
  }

  setU8(pointer: number, value: number): void {
    this.view().setUint8(this.at(pointer, 1), value);
  }

  setU16(pointer: number, value: number): void {
    this.view().setUint16(this.at(pointer, 2), value, true);
  }

  setU32(pointer: number, value: number): void {
    this.view().setUint32(this.at(pointer, 4), value, true);
  }

  setU64(pointer: number, value: bigint): void {
    this.view().setBigUint64(this.at(pointer, 8), value, true);
  }

  path(pointer: number, length: number): string {
    if (length >>> 0 > MAX_PATH) fail(ERRNO.ENAMETOOLONG);
    const bytes = this.bytes(pointer, length);
    let path: string;
    try {
      path = decoder.decode(bytes);
    } catch {
      return fail(ERRNO.EILSEQ);
    }
    return path.includes("\0") ? fail(ERRNO.EINVAL) : path;
  }

  /** The buffers of an iovec or ciovec array. */
  vectors(pointer: number, count: number): Uint8Array[] {
    if (count >>> 0 > MAX_VECTORS) fail(ERRNO.EINVAL);
    const from = this.at(pointer, 8 * count);
    const vectors: Uint8Array[] = [];
    let total = 0;
    for (let at = from; at < from + 8 * count; at += 8) {
      const vector = this.bytes(this.getU32(at), this.getU32(at + 4));
      total += vector.length;
      vectors.push(vector);
    }
    return total > MAX_TRANSFER ? fail(ERRNO.EINVAL) : vectors;
  }

  // ---- descriptors

  descriptor(fd: number): Descriptor {
    return this.descriptors.get(fd) ?? fail(ERRNO.EBADF);
  }

  /** A file through which this may be done. What is asked of files only is EINVAL for a device. */
  file(fd: number, right: number): OpenFile {
    const descriptor = this.descriptor(fd);
    if (descriptor.kind === "directory") fail(ERRNO.EISDIR);
    if (descriptor.kind === "device") fail(ERRNO.EINVAL);
    if (descriptor.kind !== "file") fail(ERRNO.ESPIPE);
    return (descriptor.rights & right) === right ? (descriptor as OpenFile) : fail(ERRNO.ENOTCAPABLE);
  }

  /** A directory through which this may be done. */
  directory(fd: number, right: number): OpenDirectory {
    const descriptor = this.descriptor(fd);
    if (descriptor.kind !== "directory") fail(ERRNO.ENOTDIR);
    return (descriptor.rights & right) === right ? (descriptor as OpenDirectory) : fail(ERRNO.ENOTCAPABLE);
  }

  /** Anything open through which this may be done. */
  allowed(fd: number, right: number): Descriptor {
    const descriptor = this.descriptor(fd);
    return (descriptor.rights & right) === right ? descriptor : fail(ERRNO.ENOTCAPABLE);
  }

  /** What is open as this number, to a path that names it. */
  named({ fd }: DescriptorNode): Descriptor {
    return this.descriptors.get(fd) ?? fail(ERRNO.ENOENT);
  }

  /** The lowest numbers that are free. */
  freeFds(count: number): number[] {
    const free: number[] = [];
    for (let fd = 0; fd < MAX_DESCRIPTORS && free.length < count; fd++) if (!this.descriptors.has(fd)) free.push(fd);
    return free.length === count ? free : fail(ERRNO.EMFILE);
  }

  /** Makes the number this descriptor; what it was is closed. */
  put(fd: number, descriptor: Descriptor): void {
    if (descriptor.fds++ === 0 && "node" in descriptor) this.files.open(descriptor.node);
    if (this.descriptors.has(fd)) this.close(fd);
    this.descriptors.set(fd, descriptor);
  }

  close(fd: number): void {
    const descriptor = this.descriptor(fd);
    this.descriptors.delete(fd);
    if (--descriptor.fds > 0) return;
    if (descriptor.kind === "pipe") this.options.pipeClosed({ object: descriptor.object, end: descriptor.end });
    else if ("node" in descriptor) this.files.close(descriptor.node);
  }

  newPipeEnd(end: PipeEnd["end"], object: number): Descriptor {
    const rights = end === "read" ? RIGHTS.readEnd : RIGHTS.writeEnd;
    return { kind: "pipe", object, end, rights, inheriting: 0, flags: 0, fds: 0 };
  }

  // ---- time

  /** Realtime; virtual time passes by being looked at. */
  nowNs(): bigint {
    if (this.options.clock === "host") return BigInt(Math.round(this.options.now() * 1e6));
    this.clockNs += CLOCK_TICK_NS;
    return this.clockNs;
  }

  timeNs(clock: number): bigint {
    const now = this.nowNs();
    if (clock === CLOCK.processCpu || clock === CLOCK.threadCpu)
      return this.options.clock === "host" ? BigInt(Math.round(this.options.cpuMs() * 1e6)) : now - VIRTUAL_EPOCH_NS;
    if (clock === CLOCK.realtime || this.options.clock === "virtual") return now;
    if (clock !== CLOCK.monotonic) fail(ERRNO.EINVAL);
    if (now > this.clockNs) this.clockNs = now;
    return this.clockNs;
  }

  home(call: HomeCall, finish: (result: HomeResult) => number): never {
    throw new Blocked({ kind: "home", call }, finish);
  }

  // ---- what is told and set of nodes

  writeFilestat(pointer: number, node: Node): undefined {
    if (node.kind === "descriptor") return this.writeOpenFilestat(pointer, this.named(node));
    this.fillFilestat(pointer, DEVICE.files, node.inode, FILETYPE[node.kind], node.links);
    this.setU64(pointer + 32, BigInt(sizeOf(node)));
    this.setU64(pointer + 40, node.atimeNs);
    this.setU64(pointer + 48, node.mtimeNs);
    this.setU64(pointer + 56, node.ctimeNs);
  }

  writeOpenFilestat(pointer: number, descriptor: Descriptor): undefined {
    if ("node" in descriptor) return this.writeFilestat(pointer, descriptor.node);
    const inode = descriptor.kind === "output" ? descriptor.stream : 2 * descriptor.object + (descriptor.end === "read" ? 4 : 5);
    this.fillFilestat(pointer, DEVICE.streams, inode, FILETYPE[descriptor.kind], 1);
  }

  private fillFilestat(pointer: number, device: bigint, inode: number, type: number, links: number): void {
    this.bytes(pointer, 64).fill(0);
    this.setU64(pointer, device);
    this.setU64(pointer + 8, BigInt(inode));
    this.setU8(pointer + 16, type);
    this.setU64(pointer + 24, BigInt(links));
  }

  setTimes(node: Node, atime: bigint, mtime: bigint, flags: number): undefined {
    checkFlags(flags, FSTFLAG.all);
    if ((flags & FSTFLAG.atime && flags & FSTFLAG.atimeNow) || (flags & FSTFLAG.mtime && flags & FSTFLAG.mtimeNow))
      fail(ERRNO.EINVAL);
    if (isFixed(node)) return; // theirs are always the same
    const now = this.nowNs();
    if (flags & FSTFLAG.atime) node.atimeNs = BigInt.asUintN(64, atime);
    if (flags & FSTFLAG.mtime) node.mtimeNs = BigInt.asUintN(64, mtime);
    if (flags & FSTFLAG.atimeNow) node.atimeNs = now;
    if (flags & FSTFLAG.mtimeNow) node.mtimeNs = now;
    node.ctimeNs = now;
  }
}

function sizeOf(node: Node): number {
  if (node.kind === "file") return node.size;
  return node.kind === "link" ? bytesOf(node.target).length : 0;
}

/** Flags that the specification does not define are an error. */
export function checkFlags(flags: number, all: number): void {
  if ((flags & ~all) !== 0) fail(ERRNO.EINVAL);
}

/** An offset or size as the program passes it: unsigned. Beyond 2^53 they are all alike: larger than any file. */
export const unsigned = (value: bigint): number => Number(BigInt.asUintN(64, value));
