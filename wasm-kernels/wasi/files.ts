// The files a process sees: the job's input files, and over them what it has written. All in memory: opening and reading never leave
// the process, and everything written goes with its image. No link leads out, because there is no outside.
//
// Invariants: a node's `links` and `opens` count its names and open descriptors, and at none of either it is forgotten; a directory has
// one name; no full path is longer than MAX_PATH; what the process has made takes at most MAX_BYTES, a block for each node included.
import { NightshiftError } from "../errors.ts";
import { isFixed, newDevices } from "./devices.ts";
import { ERRNO, fail } from "./errno.ts";
import { DirectoryNode, DOT, type FileNode, type LinkNode, type Node, newCommon, type OwnNode } from "./nodes.ts";

/** A name in a directory, and the node of that name if there is one. The name "." stands for the directory itself. */
export interface Place {
  parent: DirectoryNode;
  name: string;
  node: Node | undefined;
}

/** The tree as it goes into an image: every node that has a name or is open, and the names. */
export interface FilesState {
  nextInode: number;
  nodes: {
    inode: number;
    /** Access, modification, change. */
    times: [bigint, bigint, bigint];
    bytes?: Uint8Array;
    /** The input file whose bytes it still has. */
    input?: string;
    link?: string;
    /** Only directories have this. */
    nextSerial?: number;
  }[];
  /** [directory, name, node, serial], parents first and in order of serial. */
  names: [number, string, number, number][];
}

/** Most bytes that what one process has made may take, and most bytes of one file. */
export const MAX_BYTES = 2 ** 30;
/** What a node takes beside its contents, so that their number is bounded too: about what one costs this process. */
const BLOCK_BYTES = 4096;
export const MAX_PATH = 4096;
/** As on Linux. */
const MAX_LINKS = 40;
const MAX_NAME_BYTES = 255;
const ROOT_INODE = 1;

const encoder = new TextEncoder();
export const bytesOf = (text: string): Uint8Array => encoder.encode(text);

export class Files {
  readonly root: DirectoryNode;
  private readonly devices: DirectoryNode;
  private readonly inputs: ReadonlyMap<string, Uint8Array>;
  private nextInode = ROOT_INODE + 1;
  private usedBytes = 0;

  private constructor(inputs: ReadonlyMap<string, Uint8Array>, nowNs: bigint) {
    this.inputs = inputs;
    this.root = new DirectoryNode(ROOT_INODE, nowNs);
    this.root.links = 1;
    this.devices = newDevices(this.root);
  }

  /** @throws NS_BAD_FILE when one input file lies below another */
  static start(inputs: ReadonlyMap<string, Uint8Array>, nowNs: bigint): Files {
    const files = new Files(inputs, nowNs);
    for (const path of [...inputs.keys()].sort()) {
      const parts = path.split("/").filter((part) => part !== "" && part !== ".");
      const name = parts.pop();
      if (name === undefined || name === ".." || parts.includes("..")) continue;
      const parent = files.makeDirectories(parts, nowNs);
      if (!parent || parent.get(name))
        throw new NightshiftError("NS_BAD_FILE", `the input file ${path} lies in the way of another`);
      files.attach(parent, name, files.newInput(files.nextInode++, path, nowNs));
    }
    return files;
  }

  /**
   * The tree of a state, over the same inputs.
   * @returns with it, all nodes by inode number, those of /dev too
   * @throws NS_BAD_IMAGE when the state is no tree
   */
  static restore(inputs: ReadonlyMap<string, Uint8Array>, state: FilesState): { files: Files; nodes: Map<number, Node> } {
    const files = new Files(inputs, 0n);
    files.nextInode = state.nextInode;
    const nodes = new Map<number, Node>();
    for (const saved of state.nodes) {
      const node = saved.inode === ROOT_INODE ? files.root : files.restoredNode(saved);
      [node.atimeNs, node.mtimeNs, node.ctimeNs] = saved.times.map(BigInt);
      if (node.kind === "directory") node.nextSerial = saved.nextSerial ?? DOT.parent + 1;
      nodes.set(node.inode, node);
    }
    const reached = new Set<Node>([files.root]);
    for (const [directory, name, inode, serial] of state.names) {
      const parent = nodes.get(directory);
      const node = nodes.get(inode);
      if (parent?.kind !== "directory" || !node || !reached.has(parent) || (node.kind === "directory" && reached.has(node)))
        throw new NightshiftError("NS_BAD_IMAGE", "the files of the image are no tree");
      files.attach(parent, name, node, serial);
      reached.add(node);
    }
    for (const { node } of files.devices.after(0)) nodes.set(node.inode, node);
    nodes.set(files.devices.inode, files.devices);
    return { files, nodes };
  }

  /** The directory that these names lead to from the root, made where it is missing; undefined when a file is in the way. */
  makeDirectories(names: readonly string[], nowNs: bigint): DirectoryNode | undefined {
    let directory = this.root;
    for (const name of names) {
      const next = directory.get(name) ?? this.newDirectory(nowNs);
      if (next.kind !== "directory") return undefined;
      if (next.links === 0) this.attach(directory, name, next);
      directory = next;
    }
    return directory;
  }

  // ---- nodes

  newDirectory(nowNs: bigint): DirectoryNode {
    this.claim(BLOCK_BYTES);
    return new DirectoryNode(this.nextInode++, nowNs);
  }

  newFile(nowNs: bigint): FileNode {
    this.claim(BLOCK_BYTES);
    return { ...newCommon(this.nextInode++, nowNs), kind: "file", bytes: new Uint8Array(0), size: 0, input: undefined };
  }

  newLink(target: string, nowNs: bigint): LinkNode {
    this.claim(BLOCK_BYTES);
    return { ...newCommon(this.nextInode++, nowNs), kind: "link", target };
  }

  private newInput(inode: number, path: string, nowNs: bigint): FileNode {
    const bytes = this.inputs.get(path);
    if (!bytes) throw new NightshiftError("NS_BAD_IMAGE", `the image needs the input file ${path}, which is not there`);
    this.usedBytes += BLOCK_BYTES;
    return { ...newCommon(inode, nowNs), kind: "file", bytes, size: bytes.length, input: path };
  }

  /** What the process has made takes, a block for each node included. */
  get madeBytes(): number {
    return this.usedBytes;
  }

  private claim(bytes: number): void {
    if (bytes > 0 && this.usedBytes + bytes > MAX_BYTES) fail(ERRNO.ENOSPC);
    this.usedBytes += bytes;
  }

  open(node: Node): void {
    node.opens++;
  }

  close(node: Node): void {
    node.opens--;
    this.forgetUnused(node);
  }

  private forgetUnused(node: Node): void {
    if (node.links > 0 || node.opens > 0) return;
    this.claim(-BLOCK_BYTES - (node.kind === "file" && node.input === undefined ? node.bytes.length : 0));
  }

  // ---- names

  /**
   * The directory and last name that a path leads to. Links on the way are followed, and the last one too when `follow` or when a slash
   * comes behind it.
   * @param making the last name is to be made: of the root's only what has been made has it already
   * @throws WasiError ENOTCAPABLE when it leads above the directory it starts from, even for a moment
   */
  lookup(from: DirectoryNode, path: string, follow: boolean, making = false): Place {
    if (path === "") fail(ERRNO.ENOENT);
    const trail = [from];
    const pending: string[] = [];
    let mustBeDirectory = false;
    const enter = (text: string): void => {
      if (text.startsWith("/")) fail(ERRNO.ENOTCAPABLE);
      const parts = text.split("/");
      const end = parts[parts.length - 1];
      if (pending.length === 0) mustBeDirectory ||= end === "" || end === ".";
      for (let i = parts.length - 1; i >= 0; i--) if (parts[i] !== "" && parts[i] !== ".") pending.push(parts[i]);
    };
    enter(path);
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const parent = trail[trail.length - 1];
      if (name === "..") {
        if (trail.length === 1) fail(ERRNO.ENOTCAPABLE);
        trail.pop();
        continue;
      }
      if (name.length > MAX_NAME_BYTES || (name.length > MAX_NAME_BYTES / 3 && bytesOf(name).length > MAX_NAME_BYTES))
        fail(ERRNO.ENAMETOOLONG);
      const isLast = pending.length === 0;
      const node = parent.get(name) ?? (parent === this.root && !(isLast && making) ? this.standing(name) : undefined);
      if (node?.kind === "link" && (!isLast || follow || mustBeDirectory)) {
        if (++links > MAX_LINKS) fail(ERRNO.ELOOP);
        enter(node.target);
      } else if (isLast) {
        if (mustBeDirectory && node && node.kind !== "directory") fail(ERRNO.ENOTDIR);
        if (!path.endsWith("/.")) return { parent, name, node };
        const itself = node?.kind === "directory" ? node : fail(ERRNO.ENOENT);
        return { parent: itself, name: ".", node: itself };
      } else if (node?.kind === "directory") trail.push(node);
      else fail(node ? ERRNO.ENOTDIR : ERRNO.ENOENT);
    }
    const node = trail[trail.length - 1];
    return { parent: node, name: ".", node };
  }

  /** What the root has although the process has made no such name: /dev, which stays unlisted, and /tmp, made as soon as it is looked for. */
  private standing(name: string): DirectoryNode | undefined {
    if (name === "dev") return this.devices;
    return name === "tmp" ? this.makeDirectories([name], this.root.atimeNs) : undefined;
  }

  private mustTakeNames(directory: DirectoryNode): void {
    if (isFixed(directory)) fail(ERRNO.EPERM);
    if (directory.links === 0) fail(ERRNO.ENOENT); // it has been removed but is still open
  }

  /** Gives the node this name, which must be free. */
  add({ parent, name }: Place, node: Node, nowNs: bigint): void {
    this.mustTakeNames(parent);
    if (pathLength(parent) + name.length > MAX_PATH) fail(ERRNO.ENAMETOOLONG);
    this.attach(parent, name, node);
    node.ctimeNs = parent.mtimeNs = parent.ctimeNs = nowNs;
  }

  private attach(parent: DirectoryNode, name: string, node: Node, serial?: number): void {
    parent.add(name, node, serial);
    node.links++;
    if (node.kind === "directory") node.place = { parent, name };
  }

  /** Takes the name away from the node. */
  remove({ parent, name }: Place, node: Node, nowNs: bigint): void {
    parent.delete(name);
    node.links--;
    if (node.kind === "directory") node.place = undefined;
    node.ctimeNs = parent.mtimeNs = parent.ctimeNs = nowNs;
    this.forgetUnused(node);
  }

  /** Moves a node to another name, in the place of what has that name. */
  rename(from: Place, node: Node, to: Place, nowNs: bigint): void {
    this.mustTakeNames(to.parent);
    if (node.kind === "directory") {
      for (let above: DirectoryNode | undefined = to.parent; above; above = above.place?.parent)
        if (above === node) fail(ERRNO.EINVAL);
    }
    const below = node.kind === "directory" ? longestPath(node) : 0;
    if (pathLength(to.parent) + to.name.length + below > MAX_PATH) fail(ERRNO.ENAMETOOLONG);
    if (to.node) this.remove(to, to.node, nowNs);
    node.opens++; // not forgotten while it has no name
    this.remove(from, node, nowNs);
    this.add(to, node, nowNs);
    node.opens--;
  }

  // ---- contents

  read(file: FileNode, offset: number, target: Uint8Array): number {
    const count = Math.max(0, Math.min(target.length, file.size - offset));
    if (count > 0) target.set(file.bytes.subarray(offset, offset + count));
    return count;
  }

  write(file: FileNode, offset: number, source: Uint8Array, nowNs: bigint): void {
    if (source.length === 0) return;
    this.resize(file, Math.max(file.size, offset + source.length), nowNs);
    file.bytes.set(source, offset);
  }

  /** Grows with zeros or truncates. */
  resize(file: FileNode, size: number, nowNs: bigint): void {
    if (size > MAX_BYTES) fail(ERRNO.EFBIG);
    const owned = file.input === undefined ? file.bytes.length : 0;
    if (file.input !== undefined || size > owned) {
      let capacity = size > owned && owned > 0 ? Math.max(size, owned * 2) : size;
      // Growing ahead of the need must not be what exceeds the limit.
      if (this.usedBytes + capacity - owned > MAX_BYTES) capacity = size;
      this.claim(capacity - owned);
      let grown: Uint8Array;
      try {
        grown = new Uint8Array(capacity);
      } catch {
        this.claim(owned - capacity);
        return fail(ERRNO.ENOSPC); // the machine has no more memory
      }
      grown.set(file.bytes.subarray(0, Math.min(file.size, size)));
      file.bytes = grown;
      file.input = undefined;
    } else if (size < file.size) file.bytes.fill(0, size, file.size);
    file.size = size;
    file.mtimeNs = file.ctimeNs = nowNs;
  }

  // ---- what has become of it

  /** Every name below the root with its path, parents first and each directory in order of serial. */
  private *walk(): Generator<{ path: string; parent: DirectoryNode; name: string; node: Node; serial: number }> {
    const pending: { directory: DirectoryNode; prefix: string }[] = [{ directory: this.root, prefix: "" }];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { directory, prefix } = next;
      for (const { name, node, serial } of directory.after(0)) {
        yield { path: prefix + name, parent: directory, name, node, serial };
        if (node.kind === "directory") pending.push({ directory: node, prefix: `${prefix}${name}/` });
      }
    }
  }

  /** Files whose contents or place differ from the inputs, by path; null for inputs that are gone. */
  changed(): Map<string, Uint8Array | null> {
    const result = new Map<string, Uint8Array | null>();
    const seen = new Set<string>();
    for (const { path, node } of this.walk()) {
      if (node.kind !== "file") continue;
      seen.add(path);
      if (node.input !== path) result.set(path, node.bytes.subarray(0, node.size));
    }
    for (const path of this.inputs.keys()) if (!seen.has(path)) result.set(path, null);
    return result;
  }

  /** @param open nodes that may have no name any more */
  state(open: readonly Node[]): FilesState {
    const nodes = new Set<Node>([this.root]);
    const names: FilesState["names"] = [];
    for (const { parent, name, node, serial } of this.walk()) {
      nodes.add(node);
      names.push([parent.inode, name, node.inode, serial]);
    }
    for (const node of open) nodes.add(node);
    return { nextInode: this.nextInode, nodes: [...nodes].filter(isOwn).map(nodeState), names };
  }

  private restoredNode({ inode, bytes, input, link, nextSerial }: FilesState["nodes"][number]): OwnNode {
    if (input !== undefined) return this.newInput(inode, input, 0n);
    this.usedBytes += BLOCK_BYTES + (bytes?.length ?? 0);
    if (nextSerial !== undefined) return new DirectoryNode(inode, 0n);
    if (link !== undefined) return { ...newCommon(inode, 0n), kind: "link", target: link };
    const contents = new Uint8Array(bytes ?? []); // a copy: the state, which is the image's, may be restored again
    return { ...newCommon(inode, 0n), kind: "file", bytes: contents, size: contents.length, input: undefined };
  }
}

/** Characters of the path of a directory from the root, with the slash behind it. */
function pathLength(directory: DirectoryNode): number {
  let length = 0;
  for (let { place } = directory; place; { place } = place.parent) length += place.name.length + 1;
  return length;
}

/** Characters of the longest path below a directory, with the slash before it. */
function longestPath(directory: DirectoryNode): number {
  let longest = 0;
  for (const { name, node } of directory.after(0)) {
    const below = node.kind === "directory" ? longestPath(node) : 0;
    longest = Math.max(longest, 1 + name.length + below);
  }
  return longest;
}

const isOwn = (node: Node): node is OwnNode => !isFixed(node);

function nodeState(node: OwnNode): FilesState["nodes"][number] {
  const base = { inode: node.inode, times: [node.atimeNs, node.mtimeNs, node.ctimeNs] as [bigint, bigint, bigint] };
  if (node.kind === "directory") return { ...base, nextSerial: node.nextSerial };
  if (node.kind === "link") return { ...base, link: node.target };
  return node.input === undefined ? { ...base, bytes: node.bytes.slice(0, node.size) } : { ...base, input: node.input };
}
