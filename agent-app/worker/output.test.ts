import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OutputTaker, outputBySlices, outputThroughRing } from "./output.ts";
import type { Posted } from "./protocol.ts";

type Said = [key: number, stream: 1 | 2, offset: number, text: string];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A thread whose messages are heard when the test says. */
function threadWith(side: typeof outputThroughRing) {
  const posted: Posted[] = [];
  const said: Said[] = [];
  const taker = new OutputTaker(
    (key, stream, offset, bytes) => void said.push([key, stream, offset, Buffer.from(bytes).toString()]),
  );
  const thread = side((message) => void posted.push(message));
  const written = { 1: 0, 2: 0 };
  return {
    posted,
    said,
    taker,
    sliceOver: () => thread.sliceOver?.(),
    write: (text: string, stream: 1 | 2 = 1) => {
      for (const letter of text) thread.output(7, stream, written[stream]++, Buffer.from(letter));
    },
    hear: () => {
      for (const message of posted.splice(0)) if (message.nightshift === "outputThere") taker.there(message.ring);
    },
  };
}

test("of bytes written one by one a single message tells, and they are taken together a little later", () => {
  const one = threadWith(outputThroughRing);
  one.write("x".repeat(1000));
  one.write("oh", 2);
  expect(one.posted).toHaveLength(1);
  one.hear();
  one.write("more");
  expect([one.posted.length, one.said.length]).toEqual([0, 0]);
  vi.advanceTimersByTime(3);
  expect(one.said).toEqual([
    [7, 1, 0, "x".repeat(1000)],
    [7, 2, 0, "oh"],
    [7, 1, 1000, "more"],
  ]);
  one.write("and more");
  expect(one.posted).toHaveLength(1);
});

test("whatever else a thread says comes after what was written before it", () => {
  const one = threadWith(outputThroughRing);
  one.write("last words");
  one.hear();
  one.taker.take();
  expect(one.said).toEqual([[7, 1, 0, "last words"]]);
  vi.advanceTimersByTime(100);
  expect(one.said).toHaveLength(1);
});

test("nothing is taken of a thread that has been ended", () => {
  const one = threadWith(outputThroughRing);
  one.write("too late");
  one.hear();
  one.taker.end();
  vi.advanceTimersByTime(100);
  expect(one.said).toEqual([]);
});

test("without shared memory bytes are posted together when the slice is over", () => {
  const one = threadWith(outputBySlices);
  one.write("hello");
  one.write("oh", 2);
  expect(one.posted).toEqual([]);
  one.sliceOver();
  one.sliceOver();
  const texts = one.posted.map(
    (message) => message.nightshift === "output" && [message.offset, Buffer.from(message.bytes).toString()],
  );
  expect(texts).toEqual([
    [0, "hello"],
    [0, "oh"],
  ]);
});
