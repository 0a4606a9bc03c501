// The fd_ functions: reading, writing, seeking and describing what is open.
import { Blocked } from "../process/hostcalls.ts";
import { type Calls, FILETYPE, RIGHT, type WasiContext } from "./context.ts";
import { ERRNO, fail } from "./errno.ts";
import type { DirectoryNode, FileNode, Node } from "./files.ts";

/** Most bytes one read or write of a pipe carries; a program sees a short read or write, as POSIX allows. */
const MAX_PIPE_BYTES = 64 * 1024;
const FDFLAG_APPEND = 1;
const ALL_RIGHTS = (1n << 30n) - 1n;
const encoder = new TextEncoder();

export function fdCalls(w: WasiContext): Calls {
  return {
    fd_advise: (fd: number) => void w.file(fd),
    fd_allocate: (fd: number, offset: bigint, length: bigint) => {
      const { node } = w.file(fd);
      if (Number(offset + length) > node.size) w.files.resize(node, Number(offset + length), w.nowNs());
      return undefined;
    },
    fd_close: (fd: number) => {
      w.descriptor(fd);
      w.close(fd);
      return undefined;
    },
    fd_datasync: (fd: number) => void w.descriptor(fd),
    fd_sync: (fd: number) => void w.descriptor(fd),
    fd_fdstat_get: (fd: number, pointer: number) => {
      const descriptor = w.descriptor(fd);
      w.bytes(pointer, 24).fill(0);
      const view = w.view();
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
      const descriptor = w.descriptor(fd);
      if (descriptor.kind === "file") descriptor.flags = flags;
      return undefined;
    },
    fd_fdstat_set_rights: (fd: number) => void w.descriptor(fd),
    fd_filestat_get: (fd: number, pointer: number) => {
      const descriptor = w.descriptor(fd);
      if (descriptor.kind === "file")
        w.writeFilestat(pointer, {
          type: FILETYPE.file,
          size: descriptor.node.size,
          inode: descriptor.node.inode,
          mtimeNs: descriptor.node.mtimeNs,
        });
      else if (descriptor.kind === "directory")
        w.writeFilestat(pointer, {
          type: FILETYPE.directory,
          size: 0,
          inode: descriptor.node.inode,
          mtimeNs: descriptor.node.mtimeNs,
        });
      else
        w.writeFilestat(pointer, {
          type: descriptor.kind === "pipe" ? FILETYPE.stream : FILETYPE.characterDevice,
          size: 0,
          inode: 0,
          mtimeNs: 0n,
        });
      return undefined;
    },
    fd_filestat_set_size: (fd: number, size: bigint) => {
      const descriptor = w.file(fd);
      if (!descriptor.write) fail(ERRNO.EBADF);
      w.files.resize(descriptor.node, Number(size), w.nowNs());
      return undefined;
    },
    fd_filestat_set_times: (fd: number, _atime: bigint, mtime: bigint, flags: number) => {
      const descriptor = w.descriptor(fd);
      if ("node" in descriptor) w.setTimes(descriptor.node, mtime, flags);
      return undefined;
    },
    fd_prestat_get: (fd: number, pointer: number) => {
      const descriptor = w.descriptors.get(fd);
      if (descriptor?.kind !== "directory" || !descriptor.preopened) return ERRNO.EBADF;
      w.view().setUint32(pointer, 0, true);
      w.view().setUint32(pointer + 4, 1, true);
      return undefined;
    },
    fd_prestat_dir_name: (fd: number, pointer: number, length: number) => {
      const descriptor = w.descriptors.get(fd);
      if (descriptor?.kind !== "directory" || !descriptor.preopened) return ERRNO.EBADF;
      if (length < 1) return ERRNO.ENAMETOOLONG;
      w.bytes(pointer, 1)[0] = 0x2e; // "."
      return undefined;
    },
    fd_read: (fd: number, vectors: number, count: number, countPointer: number) =>
      readInto(w, fd, w.vectors(vectors, count), countPointer),
    fd_pread: (fd: number, vectors: number, count: number, offset: bigint, countPointer: number) => {
      const descriptor = w.file(fd);
      if (!descriptor.read) fail(ERRNO.EBADF);
      w.view().setUint32(countPointer, readFile(w, descriptor.node, Number(offset), w.vectors(vectors, count)), true);
      return undefined;
    },
    fd_write: (fd: number, vectors: number, count: number, countPointer: number) =>
      writeFrom(w, fd, w.vectors(vectors, count), countPointer),
    fd_pwrite: (fd: number, vectors: number, count: number, offset: bigint, countPointer: number) => {
      const descriptor = w.file(fd);
      if (!descriptor.write) fail(ERRNO.EBADF);
      const bytes = joined(w.vectors(vectors, count), Number.POSITIVE_INFINITY);
      w.files.write(descriptor.node, Number(offset), bytes, w.nowNs());
      w.view().setUint32(countPointer, bytes.length, true);
      return undefined;
    },
    fd_readdir: (fd: number, buffer: number, length: number, cookie: bigint, usedPointer: number) =>
      readDirectory(w, w.directory(fd), buffer, length, Number(cookie), usedPointer),
    fd_renumber: (from: number, to: number) => {
      const descriptor = w.descriptor(from);
      w.descriptor(to);
      if (from === to) return undefined;
      w.close(to);
      w.descriptors.set(to, descriptor);
      w.descriptors.delete(from);
      return undefined;
    },
    fd_seek: (fd: number, offset: bigint, whence: number, pointer: number) => {
      const descriptor = w.file(fd);
      const base = [0, descriptor.position, descriptor.node.size][whence] ?? fail(ERRNO.EINVAL);
      const position = base + Number(offset);
      if (position < 0) fail(ERRNO.EINVAL);
      descriptor.position = position;
      w.view().setBigUint64(pointer, BigInt(position), true);
      return undefined;
    },
    fd_tell: (fd: number, pointer: number) => {
      w.view().setBigUint64(pointer, BigInt(w.file(fd).position), true);
      return undefined;
    },
  };
}

function readInto(w: WasiContext, fd: number, vectors: Uint8Array[], countPointer: number): number | undefined {
  const descriptor = w.descriptor(fd);
  const total = vectors.reduce((sum, vector) => sum + vector.length, 0);
  if (descriptor.kind === "file") {
    if (!descriptor.read) fail(ERRNO.EBADF);
    const count = readFile(w, descriptor.node, descriptor.position, vectors);
    descriptor.position += count;
    w.view().setUint32(countPointer, count, true);
    return undefined;
  }
  if (descriptor.kind === "directory") fail(ERRNO.EISDIR);
  if (descriptor.kind !== "pipe" || descriptor.end !== "read") return fail(ERRNO.EBADF);
  if (total === 0) {
    w.view().setUint32(countPointer, 0, true);
    return undefined;
  }
  return w.home({ call: "read", object: descriptor.object, maxBytes: Math.min(total, MAX_PIPE_BYTES) }, (result) => {
    if (result.value < 0) return -result.value;
    let rest = result.bytes ?? new Uint8Array(0);
    w.view().setUint32(countPointer, rest.length, true);
    for (const vector of vectors) {
      const target = new Uint8Array(w.memory.buffer, vector.byteOffset, vector.byteLength);
      target.set(rest.subarray(0, target.length));
      rest = rest.subarray(Math.min(rest.length, target.length));
    }
    return ERRNO.SUCCESS;
  });
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

function writeFrom(w: WasiContext, fd: number, vectors: readonly Uint8Array[], countPointer: number): number | undefined {
  const descriptor = w.descriptor(fd);
  if (descriptor.kind === "directory") fail(ERRNO.EISDIR);
  const bytes = joined(vectors, descriptor.kind === "pipe" ? MAX_PIPE_BYTES : Number.POSITIVE_INFINITY);
  if (descriptor.kind === "output") {
    if (bytes.length > 0) {
      if (!w.options.mayWrite())
        throw new Blocked({ kind: "output" }, () => writeOutput(w, descriptor.stream, bytes, countPointer));
      return writeOutput(w, descriptor.stream, bytes, countPointer);
    }
  } else if (descriptor.kind === "file") {
    if (!descriptor.write) fail(ERRNO.EBADF);
    const at = descriptor.flags & FDFLAG_APPEND ? descriptor.node.size : descriptor.position;
    w.files.write(descriptor.node, at, bytes, w.nowNs());
    descriptor.position = at + bytes.length;
  } else if (descriptor.kind === "pipe") {
    if (descriptor.end !== "write") fail(ERRNO.EBADF);
    return w.home({ call: "write", object: descriptor.object, bytes }, (result) => {
      if (result.value < 0) return -result.value;
      w.view().setUint32(countPointer, result.value, true);
      return ERRNO.SUCCESS;
    });
  }
  w.view().setUint32(countPointer, bytes.length, true);
  return undefined;
}

function writeOutput(w: WasiContext, stream: 1 | 2, bytes: Uint8Array, countPointer: number): number {
  w.options.write(stream, bytes);
  w.view().setUint32(countPointer, bytes.length, true);
  return ERRNO.SUCCESS;
}

function readDirectory(
  w: WasiContext,
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
  const target = w.bytes(buffer, length);
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
  w.view().setUint32(usedPointer, used, true);
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
