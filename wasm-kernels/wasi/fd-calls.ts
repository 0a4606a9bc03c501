// The fd_ functions: reading, writing, seeking and describing what is open.
import { Blocked } from "../process/hostcalls.ts";
import {
  type Calls,
  checkFlags,
  type Descriptor,
  FDFLAG,
  FILETYPE,
  type OpenDevice,
  type OpenDirectory,
  unsigned,
  type WasiContext,
} from "./context.ts";
import { ERRNO, fail } from "./errno.ts";
import { bytesOf } from "./files.ts";
import { DOT, type FileNode } from "./nodes.ts";
import { MAX_RANDOM_BYTES } from "./random.ts";
import { RIGHT, rightsOf } from "./rights.ts";

/** Most bytes one read or write of a pipe carries; a program sees a short read or write, as POSIX allows. */
const MAX_PIPE_BYTES = 64 * 1024;
/** Most bytes of output taken and of a device given at once. So large because many programs do not look at the count. */
const MAX_AT_ONCE = 64 * 2 ** 20;
const MAX_ADVICE = 5;
const WHENCE = { set: 0, current: 1, end: 2 } as const;
const DIRENT_BYTES = 24;

export function fdCalls(w: WasiContext): Calls {
  /** Only preopened directories have a name. */
  const preopenName = (fd: number): Uint8Array => {
    const descriptor = w.descriptor(fd);
    return descriptor.kind === "directory" && descriptor.preopen !== null ? bytesOf(descriptor.preopen) : fail(ERRNO.EBADF);
  };
  return {
    fd_advise: (fd: number, _offset: bigint, _length: bigint, advice: number) => {
      w.file(fd, RIGHT.fdAdvise);
      if (advice >>> 0 > MAX_ADVICE) fail(ERRNO.EINVAL);
      return undefined;
    },
    fd_allocate: (fd: number, offset: bigint, length: bigint) => {
      const { node } = w.file(fd, RIGHT.fdAllocate);
      if (length === 0n) fail(ERRNO.EINVAL);
      const end = unsigned(offset) + unsigned(length);
      if (end > node.size) w.files.resize(node, end, w.nowNs());
      return undefined;
    },
    fd_close: (fd: number) => void w.close(fd),
    fd_datasync: (fd: number) => void w.allowed(fd, RIGHT.fdDatasync),
    fd_sync: (fd: number) => void w.allowed(fd, RIGHT.fdSync),
    fd_fdstat_get: (fd: number, pointer: number) => {
      const descriptor = w.descriptor(fd);
      w.bytes(pointer, 24).fill(0);
      w.setU8(pointer, FILETYPE[descriptor.kind]);
      w.setU16(pointer + 2, descriptor.flags);
      w.setU64(pointer + 8, BigInt(descriptor.rights));
      w.setU64(pointer + 16, BigInt(descriptor.inheriting));
      return undefined;
    },
    fd_fdstat_set_flags: (fd: number, flags: number) => {
      const descriptor = w.allowed(fd, RIGHT.fdSetFlags);
      checkFlags(flags, FDFLAG.all);
      descriptor.flags = flags;
      return undefined;
    },
    fd_fdstat_set_rights: (fd: number, base: bigint, inheriting: bigint) => {
      const descriptor = w.descriptor(fd);
      if (rightsOf(base) & ~descriptor.rights || rightsOf(inheriting) & ~descriptor.inheriting) fail(ERRNO.ENOTCAPABLE);
      descriptor.rights = rightsOf(base);
      descriptor.inheriting = rightsOf(inheriting);
      return undefined;
    },
    fd_filestat_get: (fd: number, pointer: number) => {
      const descriptor = w.allowed(fd, RIGHT.fdFilestatGet);
      return w.writeOpenFilestat(pointer, descriptor);
    },
    fd_filestat_set_size: (fd: number, size: bigint) => {
      w.files.resize(w.file(fd, RIGHT.fdFilestatSetSize).node, unsigned(size), w.nowNs());
      return undefined;
    },
    fd_filestat_set_times: (fd: number, atime: bigint, mtime: bigint, flags: number) => {
      const descriptor = w.allowed(fd, RIGHT.fdFilestatSetTimes);
      if ("node" in descriptor) w.setTimes(descriptor.node, atime, mtime, flags);
      return undefined;
    },
    fd_prestat_get: (fd: number, pointer: number) => {
      const name = preopenName(fd);
      w.at(pointer, 8);
      w.setU32(pointer, 0); // a directory
      w.setU32(pointer + 4, name.length);
      return undefined;
    },
    fd_prestat_dir_name: (fd: number, pointer: number, length: number) => {
      const name = preopenName(fd);
      if (length >>> 0 < name.length) fail(ERRNO.ENAMETOOLONG);
      w.bytes(pointer, name.length).set(name);
      return undefined;
    },
    fd_read: (fd: number, vectors: number, count: number, countPointer: number) => {
      const descriptor = w.descriptor(fd);
      w.at(countPointer, 4);
      if (descriptor.kind === "pipe") return readPipe(w, fd, vectors, count, countPointer);
      if (descriptor.kind === "output") return ERRNO.ENOTCAPABLE;
      if (descriptor.kind === "device") return readDevice(w, fd, vectors, count, countPointer);
      const file = w.file(fd, RIGHT.fdRead);
      const read = readFile(w, file.node, file.position, w.vectors(vectors, count));
      file.position += read;
      w.setU32(countPointer, read);
      return undefined;
    },
    fd_pread: (fd: number, vectors: number, count: number, offset: bigint, countPointer: number) => {
      const { kind } = w.descriptor(fd);
      w.at(countPointer, 4);
      if (kind === "device") return readDevice(w, fd, vectors, count, countPointer);
      const { node } = w.file(fd, RIGHT.fdRead | RIGHT.fdSeek);
      w.setU32(countPointer, readFile(w, node, unsigned(offset), w.vectors(vectors, count)));
      return undefined;
    },
    fd_write: (fd: number, vectors: number, count: number, countPointer: number) => {
      const descriptor = w.descriptor(fd);
      w.at(countPointer, 4);
      if (descriptor.kind === "pipe") return writePipe(w, fd, vectors, count, countPointer);
      if (descriptor.kind === "output") {
        w.allowed(fd, RIGHT.fdWrite);
        return writeOutput(w, descriptor.stream, joined(w.vectors(vectors, count), MAX_AT_ONCE), countPointer);
      }
      if (descriptor.kind === "device") return writeDevice(w, fd, vectors, count, countPointer);
      const file = w.file(fd, RIGHT.fdWrite);
      const at = file.flags & FDFLAG.append ? file.node.size : file.position;
      const written = writeFile(w, file.node, at, w.vectors(vectors, count));
      file.position = at + written;
      w.setU32(countPointer, written);
      return undefined;
    },
    fd_pwrite: (fd: number, vectors: number, count: number, offset: bigint, countPointer: number) => {
      const { kind } = w.descriptor(fd);
      w.at(countPointer, 4);
      if (kind === "device") return writeDevice(w, fd, vectors, count, countPointer);
      const { node } = w.file(fd, RIGHT.fdWrite | RIGHT.fdSeek);
      w.setU32(countPointer, writeFile(w, node, unsigned(offset), w.vectors(vectors, count)));
      return undefined;
    },
    fd_readdir: (fd: number, buffer: number, length: number, cookie: bigint, usedPointer: number) => {
      const directory = w.directory(fd, RIGHT.fdReaddir);
      w.at(usedPointer, 4);
      w.setU32(usedPointer, readDirectory(directory, w.bytes(buffer, length), unsigned(cookie)));
      return undefined;
    },
    fd_renumber: (from: number, to: number) => {
      const descriptor = w.descriptor(from);
      w.descriptor(to);
      if (from === to) return undefined;
      w.put(to, descriptor);
      w.close(from);
      return undefined;
    },
    fd_seek: (fd: number, offset: bigint, whence: number, pointer: number) => {
      if (w.descriptor(fd).kind === "device") return tellDevice(w, whence, pointer);
      const onlyTells = offset === 0n && whence === WHENCE.current;
      const file = w.file(fd, onlyTells ? 0 : RIGHT.fdSeek);
      if (onlyTells) mayTell(file);
      w.at(pointer, 8);
      const base = [0, file.position, file.node.size][whence] ?? fail(ERRNO.EINVAL);
      const position = base + Number(offset);
      if (position < 0) fail(ERRNO.EINVAL);
      if (position > Number.MAX_SAFE_INTEGER) fail(ERRNO.EOVERFLOW);
      file.position = position;
      w.setU64(pointer, BigInt(position));
      return undefined;
    },
    fd_tell: (fd: number, pointer: number) => {
      if (w.descriptor(fd).kind === "device") return tellDevice(w, WHENCE.current, pointer);
      const file = w.file(fd, 0);
      mayTell(file);
      w.setU64(pointer, BigInt(file.position));
      return undefined;
    },
  };
}

/** The right to seek implies the right to tell. */
function mayTell(descriptor: Descriptor): void {
  if ((descriptor.rights & (RIGHT.fdSeek | RIGHT.fdTell)) === 0) fail(ERRNO.ENOTCAPABLE);
}

function readFile(w: WasiContext, file: FileNode, position: number, vectors: readonly Uint8Array[]): number {
  let count = 0;
  for (const vector of vectors) {
    const read = w.files.read(file, position + count, vector);
    count += read;
    if (read < vector.length) break;
  }
  return count;
}

function writeFile(w: WasiContext, file: FileNode, position: number, vectors: readonly Uint8Array[]): number {
  const bytes = vectors.length === 1 ? vectors[0] : joined(vectors, Number.POSITIVE_INFINITY);
  w.files.write(file, position, bytes, w.nowNs());
  return bytes.length;
}

function readDevice(w: WasiContext, fd: number, pointer: number, vectorCount: number, countPointer: number): undefined {
  const { name } = (w.allowed(fd, RIGHT.fdRead) as OpenDevice).node;
  let count = 0;
  for (const vector of w.vectors(pointer, vectorCount)) {
    if (name === "null") break;
    const most = name === "random" || name === "urandom" ? MAX_RANDOM_BYTES : MAX_AT_ONCE;
    const part = vector.subarray(0, most - count);
    if (name === "zero" || name === "full") part.fill(0);
    else w.random.fill(part);
    count += part.length;
  }
  w.setU32(countPointer, count);
}

function writeDevice(w: WasiContext, fd: number, pointer: number, vectorCount: number, countPointer: number): undefined {
  const { name } = (w.allowed(fd, RIGHT.fdWrite) as OpenDevice).node;
  if (name === "full") fail(ERRNO.ENOSPC);
  w.setU32(countPointer, bytesIn(w.vectors(pointer, vectorCount)));
}

/** Wherever one seeks to in a device, one is at its beginning. */
function tellDevice(w: WasiContext, whence: number, pointer: number): undefined {
  if (whence >>> 0 > WHENCE.end) fail(ERRNO.EINVAL);
  w.setU64(pointer, 0n);
}

function readPipe(w: WasiContext, fd: number, pointer: number, vectorCount: number, countPointer: number): number {
  const pipe = w.allowed(fd, RIGHT.fdRead) as Extract<Descriptor, { kind: "pipe" }>;
  const vectors = w.vectors(pointer, vectorCount);
  const total = bytesIn(vectors);
  if (total === 0) {
    w.setU32(countPointer, 0);
    return ERRNO.SUCCESS;
  }
  const noHang = (pipe.flags & FDFLAG.nonblock) !== 0;
  return w.home({ call: "read", object: pipe.object, maxBytes: Math.min(total, MAX_PIPE_BYTES), noHang }, (result) => {
    if (result.value < 0) return -result.value;
    let rest = result.bytes ?? new Uint8Array(0);
    w.setU32(countPointer, rest.length);
    for (const vector of vectors) {
      w.bytes(vector.byteOffset, vector.length).set(rest.subarray(0, vector.length)); // the memory may have been replaced by growing
      rest = rest.subarray(Math.min(rest.length, vector.length));
    }
    return ERRNO.SUCCESS;
  });
}

function writePipe(w: WasiContext, fd: number, pointer: number, vectorCount: number, countPointer: number): number {
  const pipe = w.allowed(fd, RIGHT.fdWrite) as Extract<Descriptor, { kind: "pipe" }>;
  const bytes = joined(w.vectors(pointer, vectorCount), MAX_PIPE_BYTES);
  const noHang = (pipe.flags & FDFLAG.nonblock) !== 0;
  return w.home({ call: "write", object: pipe.object, bytes, noHang }, (result) => {
    if (result.value < 0) return -result.value;
    w.setU32(countPointer, result.value);
    return ERRNO.SUCCESS;
  });
}

function writeOutput(w: WasiContext, stream: 1 | 2, bytes: Uint8Array, countPointer: number): number {
  const write = (): number => {
    if (bytes.length > 0) w.options.write(stream, bytes);
    w.setU32(countPointer, bytes.length);
    return ERRNO.SUCCESS;
  };
  if (bytes.length > 0 && !w.options.mayWrite()) throw new Blocked({ kind: "output" }, write);
  return write();
}

/** Fills the target with entries behind the cookie; the last one may be cut off. Returns the bytes used: fewer than there are at the end. */
function readDirectory({ node }: OpenDirectory, target: Uint8Array, cookie: number): number {
  let used = 0;
  const put = (next: number, inode: number, type: number, name: string): boolean => {
    const bytes = bytesOf(name);
    const entry = new Uint8Array(DIRENT_BYTES + bytes.length);
    const view = new DataView(entry.buffer);
    view.setBigUint64(0, BigInt(next), true);
    view.setBigUint64(8, BigInt(inode), true);
    view.setUint32(16, bytes.length, true);
    view.setUint8(20, type);
    entry.set(bytes, DIRENT_BYTES);
    const part = entry.subarray(0, target.length - used);
    target.set(part, used);
    used += part.length;
    return used < target.length;
  };
  if (cookie < DOT.self && !put(DOT.self, node.inode, FILETYPE.directory, ".")) return used;
  if (cookie < DOT.parent && !put(DOT.parent, (node.place?.parent ?? node).inode, FILETYPE.directory, "..")) return used;
  for (const entry of node.after(cookie)) if (!put(entry.serial, entry.node.inode, FILETYPE[entry.node.kind], entry.name)) break;
  return used;
}

const bytesIn = (vectors: readonly Uint8Array[]): number => vectors.reduce((sum, vector) => sum + vector.length, 0);

/** A copy of the first bytes of the vectors. */
function joined(vectors: readonly Uint8Array[], limit: number): Uint8Array {
  const total = Math.min(limit, bytesIn(vectors));
  const result = new Uint8Array(total);
  let at = 0;
  for (const vector of vectors) {
    const part = vector.subarray(0, total - at);
    result.set(part, at);
    at += part.length;
  }
  return result;
}
