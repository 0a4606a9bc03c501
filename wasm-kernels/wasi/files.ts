// The files a process sees below its one preopened directory: its input files, and over them what it has written. All in memory:
// opening and reading never leave the process, and everything written goes with its image. No links lead out, because there is
// no outside.
import { ERRNO, fail } from "./errno.ts";

export interface FileNode {
  kind: "file";
  inode: number;
  /** Capacity may exceed size. */
  bytes: Uint8Array;
  size: number;
  /** The bytes are an input file's, shared with other processes: copy before writing. */
  shared: boolean;
  mtimeNs: bigint;
}

export interface DirectoryNode {
  kind: "directory";
  inode: number;
  entries: Map<string, Node>;
  mtimeNs: bigint;
}

export interface LinkNode {
  kind: "link";
  inode: number;
  target: string;
  mtimeNs: bigint;
}

export type Node = FileNode | DirectoryNode | LinkNode;

/** What differs from the input files: path -> contents, target of a symbolic link, or what else became of it. */
export interface FilesState {
  nextInode: number;
  nodes: {
    path: string;
    inode: number;
    mtimeNs: bigint;
    bytes?: Uint8Array | null;
    directory?: boolean;
    link?: string /** Unchanged input file at this path originally. */;
    input?: string;
  }[];
  /** Files that are open but have no name any more. */
  orphans: { inode: number; mtimeNs: bigint; bytes: Uint8Array }[];
  removed: string[];
}

/** Most bytes all files of one process may hold. */
export const MAX_FILE_BYTES = 2 ** 30;
const MAX_LINKS = 16;
const MAX_NAME_BYTES = 255;

export class Files {
  readonly root: DirectoryNode;
  private nextInode = 1;
  private readonly inputs: ReadonlyMap<string, Uint8Array>;
  /** Input file nodes by their path in the inputs, as long as their contents are unchanged. */
  private readonly inputPaths = new Map<FileNode, string>();
  private writtenBytes = 0;

  constructor(inputs: ReadonlyMap<string, Uint8Array>) {
    this.inputs = inputs;
    this.root = this.newDirectory(0n);
    for (const [path, bytes] of inputs) {
      const parts = path.split("/").filter((part) => part !== "" && part !== ".");
      const name = parts.pop();
      if (name === undefined || parts.includes("..") || name === "..") continue;
      let directory = this.root;
      for (const part of parts) {
        const next = directory.entries.get(part) ?? this.newDirectory(0n);
        if (next.kind !== "directory") fail(ERRNO.ENOTDIR);
        directory.entries.set(part, next);
        directory = next as DirectoryNode;
      }
      const node: FileNode = { kind: "file", inode: this.nextInode++, bytes, size: bytes.length, shared: true, mtimeNs: 0n };
      this.inputPaths.set(node, path);
      directory.entries.set(name, node);
    }
  }

  newDirectory(mtimeNs: bigint): DirectoryNode {
    return { kind: "directory", inode: this.nextInode++, entries: new Map(), mtimeNs };
  }

  newFile(mtimeNs: bigint): FileNode {
    return { kind: "file", inode: this.nextInode++, bytes: new Uint8Array(0), size: 0, shared: false, mtimeNs };
  }

  newLink(target: string, mtimeNs: bigint): LinkNode {
    return { kind: "link", inode: this.nextInode++, target, mtimeNs };
  }

  /**
   * The directory and last name a path leads to, from a directory. Links on the way are followed, and the last one too when
   * `follow`. A path that leads above the preopened directory is ENOTCAPABLE.
   * @returns the node (undefined when there is none of that name) and where it is or would be; name "." for the directory itself
   */
  lookup(from: DirectoryNode, path: string, follow: boolean): { parent: DirectoryNode; name: string; node: Node | undefined } {
    if (path.startsWith("/")) fail(ERRNO.ENOTCAPABLE);
    const trail = this.trailTo(from);
    const pending = path.split("/");
    if (path === "") fail(ERRNO.ENOENT);
    const mustBeDirectory = path.endsWith("/");
    let links = 0;
    let last: { parent: DirectoryNode; name: string; node: Node | undefined } = {
      parent: trail[trail.length - 1],
      name: ".",
      node: trail[trail.length - 1],
    };
    while (pending.length > 0) {
      const part = pending.shift() as string;
      if (part === "" || part === ".") continue;
      if (part.length > MAX_NAME_BYTES) fail(ERRNO.ENAMETOOLONG);
      const directory = trail[trail.length - 1];
      if (part === "..") {
        if (trail.length === 1) fail(ERRNO.ENOTCAPABLE);
        trail.pop();
        last = { parent: trail[trail.length - 1], name: ".", node: trail[trail.length - 1] };
        continue;
      }
      const node = directory.entries.get(part);
      const isLast = pending.every((rest) => rest === "" || rest === ".");
      if (node?.kind === "link" && (!isLast || follow || mustBeDirectory)) {
        if (++links > MAX_LINKS) fail(ERRNO.ELOOP);
        if (node.target.startsWith("/")) fail(ERRNO.ENOTCAPABLE);
        pending.unshift(...node.target.split("/"));
        continue;
      }
      if (isLast) {
        if (mustBeDirectory && node && node.kind !== "directory") fail(ERRNO.ENOTDIR);
        return { parent: directory, name: part, node };
      }
      if (!node) fail(ERRNO.ENOENT);
      if (node?.kind !== "directory") fail(ERRNO.ENOTDIR);
      trail.push(node as DirectoryNode);
      last = { parent: node as DirectoryNode, name: ".", node };
    }
    return last;
  }

  /** Directories from the root to this one. */
  private trailTo(directory: DirectoryNode): DirectoryNode[] {
    const search = (trail: DirectoryNode[]): DirectoryNode[] | undefined => {
      const here = trail[trail.length - 1];
      if (here === directory) return trail;
      for (const node of here.entries.values()) {
        const found = node.kind === "directory" ? search([...trail, node]) : undefined;
        if (found) return found;
      }
      return undefined;
    };
    return directory === this.root ? [this.root] : (search([this.root]) ?? fail(ERRNO.ENOENT));
  }

  read(file: FileNode, offset: number, target: Uint8Array): number {
    const count = Math.max(0, Math.min(target.length, file.size - offset));
    if (count > 0) target.set(file.bytes.subarray(offset, offset + count));
    return count;
  }

  write(file: FileNode, offset: number, source: Uint8Array, nowNs: bigint): void {
    this.resize(file, Math.max(file.size, offset + source.length), nowNs);
    file.bytes.set(source, offset);
  }

  /** Grows with zeros or truncates. */
  resize(file: FileNode, size: number, nowNs: bigint): void {
    if (size > MAX_FILE_BYTES || this.writtenBytes + size - file.size > MAX_FILE_BYTES) fail(ERRNO.ENOSPC);
    this.writtenBytes += size - file.size;
    if (file.shared || size > file.bytes.length) {
      const grown = new Uint8Array(
        size > file.bytes.length ? Math.max(size, Math.min(file.bytes.length * 2, MAX_FILE_BYTES), 1024) : file.bytes.length,
      );
      grown.set(file.bytes.subarray(0, Math.min(file.size, size)));
      file.bytes = grown;
      file.shared = false;
      this.inputPaths.delete(file);
    } else if (size < file.size) file.bytes.fill(0, size, file.size);
    file.size = size;
    file.mtimeNs = nowNs;
  }

  /** Paths below the root with their nodes, parents first, in a fixed order. */
  *walk(directory = this.root, prefix = ""): Generator<{ path: string; node: Node }> {
    for (const name of [...directory.entries.keys()].sort()) {
      const node = directory.entries.get(name) as Node;
      yield { path: prefix + name, node };
      if (node.kind === "directory") yield* this.walk(node, `${prefix}${name}/`);
    }
  }

  /** Files whose contents or place differ from the inputs; null for inputs that are gone. */
  changed(): Map<string, Uint8Array | null> {
    const result = new Map<string, Uint8Array | null>();
    const seen = new Set<string>();
    for (const { path, node } of this.walk()) {
      if (node.kind !== "file") continue;
      seen.add(path);
      if (this.inputPaths.get(node) !== path) result.set(path, node.bytes.subarray(0, node.size));
    }
    for (const path of this.inputs.keys()) if (!seen.has(path)) result.set(path, null);
    return result;
  }

  state(open: readonly Node[]): FilesState {
    const nodes: FilesState["nodes"] = [];
    const named = new Set<Node>();
    for (const { path, node } of this.walk()) {
      named.add(node);
      const base = { path, inode: node.inode, mtimeNs: node.mtimeNs };
      if (node.kind === "directory") nodes.push({ ...base, directory: true });
      else if (node.kind === "link") nodes.push({ ...base, link: node.target });
      else {
        const input = this.inputPaths.get(node);
        nodes.push(input === undefined ? { ...base, bytes: node.bytes.slice(0, node.size) } : { ...base, input });
      }
    }
    const orphans = open.flatMap((node) =>
      node.kind === "file" && !named.has(node)
        ? [{ inode: node.inode, mtimeNs: node.mtimeNs, bytes: node.bytes.slice(0, node.size) }]
        : [],
    );
    return { nextInode: this.nextInode, nodes, orphans, removed: [] };
  }

  /** Rebuilds the tree of a state over the same inputs; returns all nodes by inode number. */
  restore(state: FilesState): Map<number, Node> {
    const byInode = new Map<number, Node>([[this.root.inode, this.root]]);
    this.root.entries.clear();
    this.inputPaths.clear();
    const directories = new Map<string, DirectoryNode>([["", this.root]]);
    const fileOf = (inode: number, mtimeNs: bigint, bytes: Uint8Array, shared: boolean): FileNode => ({
      kind: "file",
      inode,
      mtimeNs,
      bytes,
      size: bytes.length,
      shared,
    });
    for (const { path, inode, mtimeNs, bytes, directory, link, input } of state.nodes) {
      const cut = path.lastIndexOf("/");
      const parent = directories.get(cut < 0 ? "" : path.slice(0, cut));
      let node: Node | undefined = byInode.get(inode); // a second name of the same file
      if (!node) {
        if (directory) node = { kind: "directory", inode, mtimeNs, entries: new Map() };
        else if (link !== undefined) node = { kind: "link", inode, mtimeNs, target: link };
        else if (input !== undefined) {
          node = fileOf(inode, mtimeNs, this.inputs.get(input) ?? fail(ERRNO.EIO), true);
          this.inputPaths.set(node, input);
        } else node = fileOf(inode, mtimeNs, bytes ?? new Uint8Array(0), false);
        byInode.set(inode, node);
      }
      if (node.kind === "directory") directories.set(path, node);
      parent?.entries.set(path.slice(cut + 1), node);
    }
    for (const { inode, mtimeNs, bytes } of state.orphans) byInode.set(inode, fileOf(inode, mtimeNs, bytes, false));
    this.nextInode = state.nextInode;
    return byInode;
  }
}
