// The control memory: a second, shared memory that the transformation gives every program, in which the flag to stop lies and to
// which frames are saved. The program's own memory is never touched. Also the names under which the module exports its parts.

/** Byte offsets in the control memory. */
export const CONTROL = {
  /** i32, not zero: leave at the next poll; one of FLAG. Set by any thread. */
  flag: 0,
  /** i32: where the next saved frame goes; starts at `frames`. */
  framePointer: 8,
  /** i32: start of the frame a continuation loads. */
  resumeFrame: 12,
  /** i32: most 64 KiB pages the program's memory may have. */
  memoryLimit: 16,
  /** i32: pages asked for when the limit was first exceeded (the program trapped then), else 0. */
  deniedPages: 20,
  /** u32: bytes of stdout and stderr together that have been taken over by whoever keeps them (modulo 2^32). Set by any thread. */
  outputTaken: 24,
  /** i32: 0, or 1 + the tag of an exception that a continuation ended with; its values are in `results`. */
  thrown: 28,
  /** i32: 0, or the number of the door by which the function that is called next is entered (doors.ts). */
  door: 32,
  /** Up to RESULT_SLOTS values of 16 bytes: results of a call, handed from one continuation to the next. */
  results: 64,
  /** First byte of the saved frames, outermost function last. */
  frames: 1024,
} as const;

/** What the flag asks for. */
export const FLAG = {
  /** run() returns. */
  stop: 1,
  /** run() goes on in continuations. */
  renew: 2,
} as const;

export const RESULT_SLOTS = 60;
/** The control memory grows with the depth of the stack that is saved: at most 512 MiB of frames. */
export const CONTROL_MAX_PAGES = 8192;

/** Export names. The prefix cannot clash with a program's own exports that matter: it is refused in them. */
export const PREFIX = "ns:";
export const exportName = {
  control: `${PREFIX}control`,
  unwind: `${PREFIX}unwind`,
  /** A table of all functions, in index order. One export each would double the time to make an instance. */
  functions: `${PREFIX}functions`,
  /** An i32 global: polls that are free to pass, in a program with fuel (fuel.ts). */
  fuel: `${PREFIX}fuel`,
  /** () -> (): write the mutable globals to control memory, from CONTROL.frames on, one after the other; and read them from there. */
  saveGlobals: `${PREFIX}save`,
  loadGlobals: `${PREFIX}load`,
  global: (index: number): string => `${PREFIX}g${index}`,
  table: (index: number): string => `${PREFIX}t${index}`,
  memory: (index: number): string => `${PREFIX}m${index}`,
  tag: (index: number): string => `${PREFIX}e${index}`,
} as const;
