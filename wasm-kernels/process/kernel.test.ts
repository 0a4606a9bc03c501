import { describe, expect, test } from "vitest";
import { ERRNO } from "../wasi/index.ts";
import { type PipeEnd, READY } from "./hostcalls.ts";
import { exitStatus, Kernel, PIPE_ATOMIC, PIPE_BYTES, STDIN, signalStatus } from "./kernel.ts";

const bytes = (count: number): Uint8Array => new Uint8Array(count).fill(7);
const value = (answer: ReturnType<Kernel["call"]>): number | "wait" => (answer.kind === "wait" ? "wait" : answer.result.value);
const makePipe = (kernel: Kernel, pid: number): number => Number(value(kernel.call(pid, { call: "pipe" })));

describe("pipes", () => {
  test("pieces of any size come out as one stream, and the bytes of a state that was taken stay what they were", () => {
    const kernel = Kernel.start(1, false);
    const pipe = makePipe(kernel, 1);
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return seed % below;
    };
    let written = 0;
    let read = 0;
    const taken: { held: Uint8Array; copy: Uint8Array }[] = [];
    const heldBy = (one: Kernel): Uint8Array => one.state().pipes.find(({ object }) => object === pipe)?.bytes ?? bytes(0);
    for (let turn = 0; turn < 3000; turn++) {
      const piece = Uint8Array.from({ length: 1 + random(turn % 100 === 0 ? 9000 : 300) }, (_, at) => (written + at) % 251);
      const took = kernel.call(1, { call: "write", object: pipe, bytes: piece });
      if (took.kind === "answer") written += took.result.value;
      if (turn % 50 === 0) taken.push({ held: heldBy(kernel), copy: heldBy(kernel).slice() });
      if (random(3) === 0) continue;
      const { result } = kernel.call(1, { call: "read", object: pipe, maxBytes: 1 + random(600) }) as {
        result: { bytes: Uint8Array };
      };
      for (const byte of result.bytes) if (byte !== read++ % 251) throw new Error(`byte ${read - 1} is wrong`);
    }
    expect(written).toBeGreaterThan(300_000);
    for (const { held, copy } of taken) expect(Buffer.compare(held, copy)).toBe(0);
    const again = Kernel.load(kernel.state());
    kernel.call(1, { call: "write", object: pipe, bytes: bytes(100) });
    expect(heldBy(again).length).toBe(written - read);
  });

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

  test("who does not want to wait is told EAGAIN", () => {
    const kernel = Kernel.start(1, false);
    const pipe = makePipe(kernel, 1);
    expect(value(kernel.call(1, { call: "read", object: pipe, maxBytes: 1, noHang: true }))).toBe(-ERRNO.EAGAIN);
    expect(value(kernel.call(1, { call: "write", object: pipe, bytes: bytes(PIPE_BYTES), noHang: true }))).toBe(PIPE_BYTES);
    expect(value(kernel.call(1, { call: "write", object: pipe, bytes: bytes(1), noHang: true }))).toBe(-ERRNO.EAGAIN);
  });

  test("a poll waits until an end is ready, and says of each end whether it is, how much, and whether the other end is closed", () => {
    const kernel = Kernel.start(1, true);
    const pipe = makePipe(kernel, 1);
    const ends: PipeEnd[] = [
      { object: STDIN, end: "read" },
      { object: pipe, end: "read" },
      { object: pipe, end: "write" },
    ];
    const poll = (of: PipeEnd[], noHang = false): number[] | "wait" => {
      const answer = kernel.call(1, { call: "poll", ends: of, noHang });
      if (answer.kind === "wait") return "wait";
      return [...new Uint32Array((answer.result.bytes as Uint8Array).slice().buffer)];
    };
    expect(poll(ends.slice(0, 2))).toBe("wait");
    expect(poll(ends.slice(0, 2), true)).toEqual([0, 0]);
    expect(poll(ends)).toEqual([0, 0, READY.ready + PIPE_BYTES]);
    kernel.call(1, { call: "write", object: pipe, bytes: bytes(PIPE_BYTES - 9) });
    expect(poll(ends)).toEqual([0, READY.ready + PIPE_BYTES - 9, 9]);
    kernel.close(1, { object: pipe, end: "write" });
    kernel.writeStdin(bytes(3));
    kernel.endStdin();
    expect(poll(ends)).toEqual([
      READY.ready + READY.hangup + 3,
      READY.ready + READY.hangup + PIPE_BYTES - 9,
      READY.ready + READY.hangup, // not its own any more: a write would fail at once
    ]);
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

  test("a stop and a continuation are told once, to a parent that asks for them", () => {
    const kernel = Kernel.start(1, false);
    kernel.fork(1, 2);
    const wait = (more: { untraced?: boolean; continued?: boolean }) =>
      kernel.call(1, { call: "wait", target: -1, noHang: true, ...more });
    const all = { untraced: true, continued: true };
    expect(value(wait(all))).toBe(0);
    kernel.call(1, { call: "kill", target: 2, signal: 19 });
    expect(value(wait({ continued: true }))).toBe(0);
    expect(wait({ untraced: true })).toMatchObject({ result: { value: 2, status: 0x137f } });
    expect(value(wait(all))).toBe(0);
    kernel.call(1, { call: "kill", target: 2, signal: 19 }); // it is stopped already
    expect(value(wait(all))).toBe(0);
    kernel.call(1, { call: "kill", target: 2, signal: 18 });
    expect(value(wait({ untraced: true }))).toBe(0);
    expect(wait({ continued: true })).toMatchObject({ result: { value: 2, status: 0xffff } });
    kernel.call(1, { call: "kill", target: 2, signal: 20 });
    kernel.exit(2, signalStatus(9));
    expect(wait(all)).toMatchObject({ result: { value: 2, status: 9 } });
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
