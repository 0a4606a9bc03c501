// What the file tree is made of. A node may have several names (hard links), or none any more while it is still open.

interface Common {
  readonly inode: number;
  /** Names it has. */
  links: number;
  /** Open files and directories that are it. */
  opens: number;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
}

export interface FileNode extends Common {
  readonly kind: "file";
  /** Capacity may exceed size; what lies beyond size is zero. */
  bytes: Uint8Array;
  size: number;
  /** The path of the input file whose bytes these are, shared with other processes: copied before the first change. */
  input: string | undefined;
}

export interface LinkNode extends Common {
  readonly kind: "link";
  readonly target: string;
}

export interface DeviceNode extends Common {
  readonly kind: "device";
  readonly name: "null" | "zero" | "full" | "random" | "urandom";
}

/** Stands for what is open as this number. */
export interface DescriptorNode extends Common {
  readonly kind: "descriptor";
  readonly fd: number;
}

/** Of these the files of a process are made; the others are in /dev only (devices.ts). */
export type OwnNode = FileNode | DirectoryNode | LinkNode;
export type Node = OwnNode | DeviceNode | DescriptorNode;

export function newCommon(inode: number, nowNs: bigint): Common {
  return { inode, links: 0, opens: 0, atimeNs: nowNs, mtimeNs: nowNs, ctimeNs: nowNs };
}

export interface Entry {
  readonly name: string;
  readonly node: Node;
  /** Grows from entry to entry of a directory and is never used again: readdir goes on behind it, whatever came and went. */
  readonly serial: number;
  gone: boolean;
}

/** The places of "." and ".." in a listing come before those of all entries. */
export const DOT = { self: 1, parent: 2 } as const;

export class DirectoryNode implements Common {
  readonly kind = "directory";
  readonly inode: number;
  links = 0;
  opens = 0;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  /** Where it is and what it is called there; undefined for the root and when it has been removed. */
  place: { parent: DirectoryNode; name: string } | undefined;
  nextSerial: number = DOT.parent + 1;
  private readonly byName = new Map<string, Entry>();
  /** By serial, with gaps where entries are gone. */
  private order: Entry[] = [];

  constructor(inode: number, nowNs: bigint) {
    this.inode = inode;
    this.atimeNs = this.mtimeNs = this.ctimeNs = nowNs;
  }

  get size(): number {
    return this.byName.size;
  }

  get(name: string): Node | undefined {
    return this.byName.get(name)?.node;
  }

  add(name: string, node: Node, serial = this.nextSerial): void {
    const entry = { name, node, serial, gone: false };
    this.byName.set(name, entry);
    this.order.push(entry);
    this.nextSerial = Math.max(this.nextSerial, serial + 1);
  }

  delete(name: string): void {
    const entry = this.byName.get(name);
    if (!entry) return;
    entry.gone = true;
    this.byName.delete(name);
    if (this.order.length > 2 * this.byName.size + 16) this.order = this.order.filter(({ gone }) => !gone);
  }

  /** The entries whose serial is greater, in order. */
  *after(serial: number): Generator<Entry> {
    let low = 0;
    for (let high = this.order.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.order[middle].serial <= serial) low = middle + 1;
      else high = middle;
    }
    for (; low < this.order.length; low++) if (!this.order[low].gone) yield this.order[low];
  }
}
