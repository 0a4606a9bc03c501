import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { flushed, write } from "./terminal.ts";

const listeners = (stream: PassThrough): number =>
  ["error", "close", "drain"].reduce((sum, name) => sum + stream.listenerCount(name), 0);

test("waiting for a slow reader, however often, leaves no listener behind", async () => {
  const stream = new PassThrough({ highWaterMark: 1 });
  const before = listeners(stream);
  for (let k = 0; k < 20; k++) {
    const waits = [write(stream as never, "four"), flushed(stream)];
    stream.resume();
    await Promise.all(waits);
    stream.pause();
  }
  expect(listeners(stream)).toBe(before);
});

test("however many wait at once, the stream has no more listeners than for one", async () => {
  const stream = new PassThrough({ highWaterMark: 1 });
  const before = listeners(stream);
  const first = [write(stream as never, "four"), flushed(stream)];
  const forTwo = listeners(stream);
  const waits = [...first, ...Array.from({ length: 30 }, () => flushed(stream))];
  expect(listeners(stream)).toBe(forTwo);
  stream.resume();
  await Promise.all(waits);
  expect(listeners(stream)).toBe(before);
});

test("nobody waits for a stream that is closed meanwhile", async () => {
  const stream = new PassThrough({ highWaterMark: 1 });
  const waits = [write(stream as never, "four"), flushed(stream)];
  stream.destroy();
  await Promise.all(waits);
  await write(stream as never, "four");
  await flushed(stream);
});
