// The path_ functions: opening, making, renaming, linking and removing below the preopened directory.
import { type Calls, type Descriptor, FILETYPE, RIGHT, type WasiContext } from "./context.ts";
import { ERRNO, fail } from "./errno.ts";
import type { DirectoryNode, FileNode } from "./files.ts";

const OFLAG = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
const encoder = new TextEncoder();

export function pathCalls(w: WasiContext): Calls {
  const parentForNew = (fd: number, pointer: number, length: number): { parent: DirectoryNode; name: string } => {
    const path = w.path(pointer, length);
    const found = w.files.lookup(w.directory(fd), path, false);
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
    ) => openPath(w, w.directory(fd), w.path(pointer, length), (lookupFlags & 1) !== 0, oflags, rights, fdflags, fdPointer),
    path_create_directory: (fd: number, pointer: number, length: number) => {
      const { parent, name } = parentForNew(fd, pointer, length);
      parent.entries.set(name, w.files.newDirectory(w.nowNs()));
      return undefined;
    },
    path_filestat_get: (fd: number, flags: number, pointer: number, length: number, target: number) => {
      const { node } = w.files.lookup(w.directory(fd), w.path(pointer, length), (flags & 1) !== 0);
      if (!node) return ERRNO.ENOENT;
      const size = node.kind === "file" ? node.size : node.kind === "link" ? encoder.encode(node.target).length : 0;
      w.writeFilestat(target, { type: FILETYPE[node.kind], size, inode: node.inode, mtimeNs: node.mtimeNs });
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
      const { node } = w.files.lookup(w.directory(fd), w.path(pointer, length), (flags & 1) !== 0);
      if (!node) return ERRNO.ENOENT;
      w.setTimes(node, mtime, fstflags);
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
      const { node } = w.files.lookup(w.directory(fd), w.path(pointer, length), (flags & 1) !== 0);
      if (!node) return ERRNO.ENOENT;
      if (node.kind === "directory") return ERRNO.EPERM;
      const { parent, name } = parentForNew(newFd, newPointer, newLength);
      parent.entries.set(name, node);
      return undefined;
    },
    path_readlink: (fd: number, pointer: number, length: number, buffer: number, bufferLength: number, usedPointer: number) => {
      const { node } = w.files.lookup(w.directory(fd), w.path(pointer, length), false);
      if (!node) return ERRNO.ENOENT;
      if (node.kind !== "link") return ERRNO.EINVAL;
      const bytes = encoder.encode(node.target).subarray(0, bufferLength);
      w.bytes(buffer, bytes.length).set(bytes);
      w.view().setUint32(usedPointer, bytes.length, true);
      return undefined;
    },
    path_symlink: (pointer: number, length: number, fd: number, newPointer: number, newLength: number) => {
      const target = w.path(pointer, length);
      if (target.startsWith("/")) return ERRNO.ENOTCAPABLE;
      const { parent, name } = parentForNew(fd, newPointer, newLength);
      parent.entries.set(name, w.files.newLink(target, w.nowNs()));
      return undefined;
    },
    path_remove_directory: (fd: number, pointer: number, length: number) => {
      const { parent, name, node } = w.files.lookup(w.directory(fd), w.path(pointer, length), false);
      if (!node) return ERRNO.ENOENT;
      if (node.kind !== "directory") return ERRNO.ENOTDIR;
      if (node.entries.size > 0) return ERRNO.ENOTEMPTY;
      if (name === ".") return ERRNO.EINVAL;
      parent.entries.delete(name);
      return undefined;
    },
    path_unlink_file: (fd: number, pointer: number, length: number) => {
      const { parent, name, node } = w.files.lookup(w.directory(fd), w.path(pointer, length), false);
      if (!node) return ERRNO.ENOENT;
      if (node.kind === "directory") return ERRNO.EISDIR;
      parent.entries.delete(name);
      return undefined;
    },
    path_rename: (fd: number, pointer: number, length: number, newFd: number, newPointer: number, newLength: number) => {
      const from = w.files.lookup(w.directory(fd), w.path(pointer, length), false);
      const to = w.files.lookup(w.directory(newFd), w.path(newPointer, newLength), false);
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

function openPath(
  w: WasiContext,
  directory: DirectoryNode,
  path: string,
  follow: boolean,
  oflags: number,
  rights: bigint,
  fdflags: number,
  fdPointer: number,
): undefined {
  const { parent, name, node } = w.files.lookup(directory, path, follow);
  let target = node;
  if (target && oflags & OFLAG.create && oflags & OFLAG.exclusive) fail(ERRNO.EEXIST);
  if (target?.kind === "link") fail(ERRNO.ELOOP);
  if (!target) {
    if (!(oflags & OFLAG.create)) fail(ERRNO.ENOENT);
    if (path.endsWith("/")) fail(ERRNO.EISDIR);
    target = w.files.newFile(w.nowNs());
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
    if (oflags & OFLAG.truncate) w.files.resize(target as FileNode, 0, w.nowNs());
    descriptor = { kind: "file", node: target as FileNode, position: 0, flags: fdflags, read, write };
  }
  w.view().setUint32(fdPointer, w.newFd(descriptor, 3), true);
}

function contains(directory: DirectoryNode, wanted: DirectoryNode): boolean {
  if (directory === wanted) return true;
  for (const node of directory.entries.values()) if (node.kind === "directory" && contains(node, wanted)) return true;
  return false;
}
