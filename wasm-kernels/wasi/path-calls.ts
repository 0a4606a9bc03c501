// The path_ functions: opening, making, renaming, linking and removing below an open directory.
import { type Calls, checkFlags, type Descriptor, FDFLAG, type OpenDirectory, type WasiContext } from "./context.ts";
import { isFixed } from "./devices.ts";
import { ERRNO, fail } from "./errno.ts";
import { bytesOf, type Place } from "./files.ts";
import type { DescriptorNode, Node } from "./nodes.ts";
import { RIGHT, RIGHTS, rightsOf } from "./rights.ts";

const OFLAG = { create: 1, directory: 2, exclusive: 4, truncate: 8, all: 15 } as const;
const LOOKUP_FOLLOW = 1;

export function pathCalls(w: WasiContext): Calls {
  const existing = (fd: number, right: number, flags: number, pointer: number, length: number): Place & { node: Node } => {
    const { node: from } = w.directory(fd, right);
    checkFlags(flags, LOOKUP_FOLLOW);
    const place = w.files.lookup(from, w.path(pointer, length), (flags & LOOKUP_FOLLOW) !== 0);
    return { ...place, node: place.node ?? fail(ERRNO.ENOENT) };
  };
  /** What is to be renamed, linked to or removed. */
  const own = (fd: number, right: number, flags: number, pointer: number, length: number): Place & { node: Node } => {
    const place = existing(fd, right, flags, pointer, length);
    return isFixed(place.node) ? fail(ERRNO.EPERM) : place;
  };
  /** A name to be made, or that another node is to have. */
  const newName = (fd: number, right: number, pointer: number, length: number): Place =>
    w.files.lookup(w.directory(fd, right).node, w.path(pointer, length), false, true);
  const endsInSlash = (pointer: number, length: number): boolean => w.path(pointer, length).endsWith("/");
  /** A name to be made; one with a slash behind it can only be a directory's. */
  const free = (fd: number, right: number, pointer: number, length: number, directory: boolean): Place => {
    const place = newName(fd, right, pointer, length);
    if (place.node) fail(ERRNO.EEXIST);
    if (!directory && endsInSlash(pointer, length)) fail(ERRNO.ENOENT);
    return place;
  };
  return {
    path_open: (
      fd: number,
      lookupFlags: number,
      pointer: number,
      length: number,
      oflags: number,
      base: bigint,
      inheriting: bigint,
      fdflags: number,
      fdPointer: number,
    ) => {
      const directory = w.directory(fd, RIGHT.pathOpen);
      checkFlags(lookupFlags, LOOKUP_FOLLOW);
      checkFlags(oflags, OFLAG.all);
      checkFlags(fdflags, FDFLAG.all);
      w.at(fdPointer, 4);
      const rights = { base: rightsOf(base), inheriting: rightsOf(inheriting) };
      const [free] = w.freeFds(1);
      const follow = (lookupFlags & LOOKUP_FOLLOW) !== 0;
      w.put(free, openPath(w, directory, w.path(pointer, length), follow, oflags, rights, fdflags));
      w.setU32(fdPointer, free);
      return undefined;
    },
    path_create_directory: (fd: number, pointer: number, length: number) => {
      const place = free(fd, RIGHT.pathCreateDirectory, pointer, length, true);
      const now = w.nowNs();
      add(w, place, w.files.newDirectory(now), now);
      return undefined;
    },
    path_filestat_get: (fd: number, flags: number, pointer: number, length: number, target: number) =>
      w.writeFilestat(target, existing(fd, RIGHT.pathFilestatGet, flags, pointer, length).node),
    path_filestat_set_times: (
      fd: number,
      flags: number,
      pointer: number,
      length: number,
      atime: bigint,
      mtime: bigint,
      fstflags: number,
    ) => w.setTimes(existing(fd, RIGHT.pathFilestatSetTimes, flags, pointer, length).node, atime, mtime, fstflags),
    path_link: (
      fd: number,
      flags: number,
      pointer: number,
      length: number,
      newFd: number,
      newPointer: number,
      newLength: number,
    ) => {
      const { node } = own(fd, RIGHT.pathLinkSource, flags, pointer, length);
      if (node.kind === "directory") fail(ERRNO.EPERM);
      w.files.add(free(newFd, RIGHT.pathLinkTarget, newPointer, newLength, false), node, w.nowNs());
      return undefined;
    },
    path_readlink: (fd: number, pointer: number, length: number, buffer: number, bufferLength: number, usedPointer: number) => {
      const { node } = existing(fd, RIGHT.pathReadlink, 0, pointer, length);
      if (node.kind !== "link") return ERRNO.EINVAL;
      const bytes = bytesOf(node.target).subarray(0, bufferLength >>> 0);
      w.at(usedPointer, 4);
      w.bytes(buffer, bytes.length).set(bytes);
      w.setU32(usedPointer, bytes.length);
      return undefined;
    },
    path_symlink: (pointer: number, length: number, fd: number, newPointer: number, newLength: number) => {
      const target = w.path(pointer, length);
      if (target === "") fail(ERRNO.ENOENT);
      if (target.startsWith("/")) fail(ERRNO.ENOTCAPABLE);
      const place = free(fd, RIGHT.pathSymlink, newPointer, newLength, false);
      const now = w.nowNs();
      add(w, place, w.files.newLink(target, now), now);
      return undefined;
    },
    path_remove_directory: (fd: number, pointer: number, length: number) => {
      const place = own(fd, RIGHT.pathRemoveDirectory, 0, pointer, length);
      if (place.node.kind !== "directory") fail(ERRNO.ENOTDIR);
      else if (place.name === ".") fail(ERRNO.EINVAL);
      else if (place.node.size > 0) fail(ERRNO.ENOTEMPTY);
      w.files.remove(place, place.node, w.nowNs());
      return undefined;
    },
    path_unlink_file: (fd: number, pointer: number, length: number) => {
      const place = own(fd, RIGHT.pathUnlinkFile, 0, pointer, length);
      if (place.node.kind === "directory") fail(ERRNO.EISDIR);
      w.files.remove(place, place.node, w.nowNs());
      return undefined;
    },
    path_rename: (fd: number, pointer: number, length: number, newFd: number, newPointer: number, newLength: number) => {
      const from = own(fd, RIGHT.pathRenameSource, 0, pointer, length);
      const to = newName(newFd, RIGHT.pathRenameTarget, newPointer, newLength);
      if (from.name === "." || to.name === ".") fail(ERRNO.EINVAL);
      if (from.node === to.node) return undefined;
      if (from.node.kind === "directory") {
        if (to.node && to.node.kind !== "directory") fail(ERRNO.ENOTDIR);
        if (to.node?.kind === "directory" && to.node.size > 0) fail(ERRNO.ENOTEMPTY);
      } else if (to.node?.kind === "directory") fail(ERRNO.EISDIR);
      else if (endsInSlash(newPointer, newLength)) fail(ERRNO.ENOTDIR);
      w.files.rename(from, from.node, to, w.nowNs());
      return undefined;
    },
  };
}

function openPath(
  w: WasiContext,
  directory: OpenDirectory,
  path: string,
  follow: boolean,
  oflags: number,
  rights: { base: number; inheriting: number },
  fdflags: number,
): Descriptor {
  const create = (oflags & OFLAG.create) !== 0;
  const truncate = (oflags & OFLAG.truncate) !== 0;
  const exclusive = create && (oflags & OFLAG.exclusive) !== 0;
  if (create && oflags & OFLAG.directory) fail(ERRNO.EINVAL);
  const needed = (create ? RIGHT.pathCreateFile : 0) | (truncate ? RIGHT.pathFilestatSetSize : 0);
  if (needed & ~directory.rights || (rights.base | rights.inheriting) & ~directory.inheriting) fail(ERRNO.ENOTCAPABLE);
  const place = w.files.lookup(directory.node, path, follow && !exclusive, create);
  let { node } = place;
  if (node && exclusive) fail(ERRNO.EEXIST);
  if (node?.kind === "link") fail(ERRNO.ELOOP);
  if (!node) {
    if (!create) fail(ERRNO.ENOENT);
    if (path.endsWith("/")) fail(ERRNO.EISDIR);
    const now = w.nowNs();
    node = w.files.newFile(now);
    add(w, place, node, now);
  }
  if (node.kind === "descriptor") return openAgain(w, node, oflags, rights.base);
  const common = { flags: fdflags, fds: 0 };
  if (node.kind === "directory") {
    if (create || truncate || rights.base & RIGHT.fdWrite) fail(ERRNO.EISDIR);
    const { inheriting } = rights;
    return { ...common, kind: "directory", node, preopen: null, rights: rights.base & RIGHTS.directory, inheriting };
  }
  if (node.kind === "link" || oflags & OFLAG.directory) return fail(ERRNO.ENOTDIR);
  const use = { rights: rights.base & RIGHTS.file, inheriting: 0 };
  if (node.kind === "device") return { ...common, ...use, kind: "device", node };
  if (truncate) w.files.resize(node, 0, w.nowNs());
  return { ...common, ...use, kind: "file", node, position: 0 };
}

/** The same descriptor under another number, as by dup(): it stays as it is, neither emptied nor with other flags or rights. */
function openAgain(w: WasiContext, node: DescriptorNode, oflags: number, rights: number): Descriptor {
  const descriptor = w.named(node);
  const isDirectory = descriptor.kind === "directory";
  if (oflags & OFLAG.directory && !isDirectory) fail(ERRNO.ENOTDIR);
  const access = rights & (isDirectory ? RIGHT.fdWrite : RIGHT.fdRead | RIGHT.fdWrite);
  return access & ~descriptor.rights ? fail(ERRNO.EACCES) : descriptor;
}

/** Gives a new node its first name; when it cannot have it, the node is forgotten. */
function add(w: WasiContext, place: Place, node: Node, now: bigint): void {
  w.files.open(node);
  try {
    w.files.add(place, node, now);
  } finally {
    w.files.close(node);
  }
}
