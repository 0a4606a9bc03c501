// WASI rights: what may be done through a descriptor (base) and through those opened from it (inheriting). Rights can only be given up.
// Kept as plain numbers, which 30 bits fit, since every read looks at them; bits the specification does not define are ignored.

export const RIGHT = {
  fdDatasync: 1 << 0,
  fdRead: 1 << 1,
  fdSeek: 1 << 2,
  fdSetFlags: 1 << 3,
  fdSync: 1 << 4,
  fdTell: 1 << 5,
  fdWrite: 1 << 6,
  fdAdvise: 1 << 7,
  fdAllocate: 1 << 8,
  pathCreateDirectory: 1 << 9,
  pathCreateFile: 1 << 10,
  pathLinkSource: 1 << 11,
  pathLinkTarget: 1 << 12,
  pathOpen: 1 << 13,
  fdReaddir: 1 << 14,
  pathReadlink: 1 << 15,
  pathRenameSource: 1 << 16,
  pathRenameTarget: 1 << 17,
  pathFilestatGet: 1 << 18,
  pathFilestatSetSize: 1 << 19,
  pathFilestatSetTimes: 1 << 20,
  fdFilestatGet: 1 << 21,
  fdFilestatSetSize: 1 << 22,
  fdFilestatSetTimes: 1 << 23,
  pathSymlink: 1 << 24,
  pathRemoveDirectory: 1 << 25,
  pathUnlinkFile: 1 << 26,
  pollFdReadwrite: 1 << 27,
} as const;

const any = (...rights: readonly number[]): number => rights.reduce((all, right) => all | right, 0);

const STREAM = any(RIGHT.fdSetFlags, RIGHT.fdSync, RIGHT.fdDatasync, RIGHT.fdFilestatGet, RIGHT.pollFdReadwrite);

/** The rights that mean something for each kind of descriptor. */
export const RIGHTS = {
  file: any(
    STREAM,
    RIGHT.fdRead,
    RIGHT.fdSeek,
    RIGHT.fdTell,
    RIGHT.fdWrite,
    RIGHT.fdAdvise,
    RIGHT.fdAllocate,
    RIGHT.fdFilestatSetSize,
    RIGHT.fdFilestatSetTimes,
  ),
  directory: any(
    RIGHT.fdSetFlags,
    RIGHT.fdSync,
    RIGHT.fdDatasync,
    RIGHT.fdReaddir,
    RIGHT.fdFilestatGet,
    RIGHT.fdFilestatSetTimes,
    RIGHT.pathCreateDirectory,
    RIGHT.pathCreateFile,
    RIGHT.pathLinkSource,
    RIGHT.pathLinkTarget,
    RIGHT.pathOpen,
    RIGHT.pathReadlink,
    RIGHT.pathRenameSource,
    RIGHT.pathRenameTarget,
    RIGHT.pathFilestatGet,
    RIGHT.pathFilestatSetSize,
    RIGHT.pathFilestatSetTimes,
    RIGHT.pathSymlink,
    RIGHT.pathRemoveDirectory,
    RIGHT.pathUnlinkFile,
  ),
  readEnd: any(STREAM, RIGHT.fdRead),
  writeEnd: any(STREAM, RIGHT.fdWrite),
  /** To isatty() a character device without the rights to seek and tell is a terminal; our output is none. */
  output: any(STREAM, RIGHT.fdWrite, RIGHT.fdSeek, RIGHT.fdTell),
} as const;

/** Rights as the program passes them. */
export const rightsOf = (value: bigint): number => Number(BigInt.asUintN(28, value));
