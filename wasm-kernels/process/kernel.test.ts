import { describe, expect, test } from "vitest";
import { ERRNO } from "../wasi/index.ts";
import { exitStatus, Kernel, PIPE_ATOMIC, PIPE_BYTES, STDIN, signalStatus } from "./kernel.ts";

const bytes = (count: number): Uint8Array => new Uint8Array(count).fill(7);
const value = (answer: ReturnType<Kernel["call"]>): number | "wait" => (answer.kind === "wait" ? "wait" : answer.result.value);
const makePipe = (kernel: Kernel, pid: number): number => Number(value(kernel.call(pid, { call: "pipe" })));

describe("pipes", () => {
  test("what is written comes out in order; an empty pipe with a writer makes its reader wait", () => {
    const kernel = Kernel.start(1, false);
    const pipe = makePipe(kernel, 1);
    expect(value(kernel.call(1, { call: "read", object: pipe, maxBytes: 10 }))).toBe("wait");
    kernel.call(1, { call: "write", object: pipe, bytes: new Uint8Array([1, 2, 3]) });
    expect(kernel.call(1, { call: "read", object: pipe, maxBytes: 2 })).toMatchObject({
      result: { value: 2, bytes: new Uint8Array([1, 2]) },
    });
    expect(kernel.call(1, { call: "read", object: pipe, maxBytes: 2 })).toMatchObject({
      result: { value: 1, bytes: new Uint8Array([3]) },
    });
  });

  test("a reader gets end of file only when the last process that could write has closed or ended", () => {
    const kernel = Kernel.start(1, false);
    const pipe = makePipe(kernel, 1);
    kernel.fork(1, 2);
    kernel.close(1, { object: pipe, end: "write" });
    expect(value(kernel.call(1, { call: "read", object: pipe, maxBytes: 1 }))).toBe("wait");
    kernel.exit(2, exitStatus(0));
    expect(value(kernel.call(1, { call: "read", object: pipe, maxBytes: 1 }))).toBe(0);
  });

  test("a write that nobody can read is EPIPE", () => {
    const kernel = Kernel.start(1, false);
    const pipe = makePipe(kernel, 1);
    kernel.close(1, { object: pipe, end: "read" });
    expect(value(kernel.call(1, { call: "write", object: pipe, bytes: bytes(1) }))).toBe(-ERRNO.EPIPE);
  });

  test("a small write is never split: it waits for room; a large one fills what room there is", () => {
    const kernel = Kernel.start(1, false);
    const pipe = makePipe(kernel, 1);
    kernel.call(1, { call: "write", object: pipe, bytes: bytes(PIPE_BYTES - 10) });
    expect(value(kernel.call(1, { call: "write", object: pipe, bytes: bytes(PIPE_ATOMIC) }))).toBe("wait");
    expect(value(kernel.call(1, { call: "write", object: pipe, bytes: bytes(PIPE_ATOMIC + 1) }))).toBe(10);
    expect(value(kernel.call(1, { call: "write", object: pipe, bytes: bytes(PIPE_ATOMIC + 1) }))).toBe("wait");
  });

  test("another process's pipe is not to be had by its number", () => {
    const kernel = Kernel.start(1, false);
    kernel.fork(1, 2);
    const pipe = makePipe(kernel, 1);
    expect(value(kernel.call(2, { call: "read", object: pipe, maxBytes: 1 }))).toBe(-ERRNO.EBADF);
    expect(value(kernel.call(2, { call: "write", object: pipe, bytes: bytes(1) }))).toBe(-ERRNO.EBADF);
  });
});

describe("children", () => {
  test("wait() answers for a child that has ended, once, with its status", () => {
    const kernel = Kernel.start(1, false);
    kernel.fork(1, 2);
    expect(value(kernel.call(1, { call: "wait", target: -1, noHang: false }))).toBe("wait");
    expect(value(kernel.call(1, { call: "wait", target: -1, noHang: true }))).toBe(0);
    kernel.exit(2, exitStatus(3));
    expect(kernel.call(1, { call: "wait", target: 2, noHang: false })).toMatchObject({ result: { value: 2, status: 0x300 } });
    expect(value(kernel.call(1, { call: "wait", target: -1, noHang: false }))).toBe(-ERRNO.ECHILD);
  });

  test("children of a process that has ended are nobody's: they leave nothing behind", () => {
    const kernel = Kernel.start(1, false);
    kernel.fork(1, 2);
    kernel.fork(2, 3);
    kernel.exit(2, signalStatus(9));
    kernel.exit(3, exitStatus(0));
    expect(kernel.state().processes.map((process) => process.pid)).toEqual([1, 2]);
  });
});

describe("signals", () => {
  test("kill() ends a process of the job; signal 0 only asks whether it is there; a stranger is ESRCH", () => {
    const kernel = Kernel.start(1, false);
    kernel.fork(1, 2);
    expect(value(kernel.call(1, { call: "kill", target: 2, signal: 0 }))).toBe(0);
    expect(kernel.effects).toEqual([]);
    expect(value(kernel.call(1, { call: "kill", target: 2, signal: 15 }))).toBe(0);
    expect(kernel.effects).toEqual([{ kind: "terminate", pid: 2, signal: 15 }]);
    expect(value(kernel.call(1, { call: "kill", target: 99, signal: 15 }))).toBe(-ERRNO.ESRCH);
    expect(value(kernel.call(1, { call: "kill", target: 2, signal: 65 }))).toBe(-ERRNO.EINVAL);
  });
});

describe("stdin", () => {
  test("is a pipe that the outside writes: full, read, ended", () => {
    const kernel = Kernel.start(1, true);
    expect(kernel.writeStdin(bytes(PIPE_BYTES + 5))).toBe(PIPE_BYTES);
    expect(value(kernel.call(1, { call: "read", object: STDIN, maxBytes: PIPE_BYTES }))).toBe(PIPE_BYTES);
    expect(value(kernel.call(1, { call: "read", object: STDIN, maxBytes: 1 }))).toBe("wait");
    kernel.endStdin();
    expect(value(kernel.call(1, { call: "read", object: STDIN, maxBytes: 1 }))).toBe(0);
  });

  test("a job without stdin reads end of file at once", () => {
    expect(value(Kernel.start(1, false).call(1, { call: "read", object: STDIN, maxBytes: 1 }))).toBe(0);
  });
});

test("a kernel loaded from its state goes on where the other was", () => {
  const kernel = Kernel.start(1, false);
  const pipe = makePipe(kernel, 1);
  kernel.fork(1, 2);
  kernel.call(2, { call: "write", object: pipe, bytes: bytes(4) });
  const again = Kernel.load(structuredClone(kernel.state()));
  expect(value(again.call(1, { call: "read", object: pipe, maxBytes: 9 }))).toBe(4);
  expect(makePipe(again, 1)).toBeGreaterThan(pipe);
});
