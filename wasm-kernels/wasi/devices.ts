// /dev: devices, and names for what is open. It belongs to no process's files: the root has it without listing it, so that a program that
// walks its files does not come to zeros without end, and nothing in it can be made, renamed or removed.
import { DirectoryNode, type Node, newCommon } from "./nodes.ts";

/** Their inodes count up from here, far beyond those of files. Images hold them: what comes to these paths comes to their end. */
const FIRST_INODE = 2 ** 52;
const PATHS = [
  "/dev",
  "/dev/fd",
  "/dev/null",
  "/dev/zero",
  "/dev/full",
  "/dev/random",
  "/dev/urandom",
  "/dev/stdin",
  "/dev/stdout",
  "/dev/stderr",
] as const;
const inodeOf = (path: (typeof PATHS)[number]): number => FIRST_INODE + PATHS.indexOf(path);

/** The path of a node that is the same in every process. */
export const fixedPath = (inode: number): string | undefined => PATHS[inode - FIRST_INODE];

class FixedDirectory extends DirectoryNode {
  constructor(path: "/dev" | "/dev/fd", parent: DirectoryNode) {
    super(inodeOf(path), 0n);
    this.links = 1;
    this.place = { parent, name: path.slice(path.lastIndexOf("/") + 1) };
  }
}

/** Has a name for every descriptor and lists none. */
class DescriptorDirectory extends FixedDirectory {
  override get(name: string): Node | undefined {
    return /^(0|[1-9]\d*)$/.test(name) ? descriptorNode(inodeOf("/dev/fd"), Number(name)) : undefined;
  }
}

const fixed = (inode: number) => ({ ...newCommon(inode, 0n), links: 1 });
const descriptorNode = (inode: number, fd: number): Node => ({ ...fixed(inode), kind: "descriptor", fd });

export function newDevices(root: DirectoryNode): DirectoryNode {
  const directory = new FixedDirectory("/dev", root);
  for (const name of ["null", "zero", "full", "random", "urandom"] as const)
    directory.add(name, { ...fixed(inodeOf(`/dev/${name}`)), kind: "device", name });
  for (const [fd, name] of (["stdin", "stdout", "stderr"] as const).entries())
    directory.add(name, descriptorNode(inodeOf(`/dev/${name}`), fd));
  directory.add("fd", new DescriptorDirectory("/dev/fd", directory));
  return directory;
}

export const isFixed = (node: Node): boolean =>
  node.kind === "device" || node.kind === "descriptor" || node instanceof FixedDirectory;
