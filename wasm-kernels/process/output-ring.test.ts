import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { OutputRing } from "./output-ring.ts";

test("what is put comes out in order, one process's to one stream together, and who takes is told once", () => {
  const reader = new OutputRing();
  const writer = new OutputRing(reader.memory);
  let told = 0;
  const ends = new Map<string, number>();
  const put = (process: number, stream: 1 | 2, text: string) => {
    const offset = ends.get(`${process} ${stream}`) ?? 0;
    ends.set(`${process} ${stream}`, offset + text.length);
    writer.put({ writer: process, stream, offset, bytes: Buffer.from(text) }, () => told++);
  };
  for (const letter of "hello") put(7, 1, letter);
  put(7, 2, "oh");
  put(8, 2, "");
  put(8, 2, "no");
  expect(told).toBe(1);
  const taken = reader.take().map(({ writer, stream, offset, bytes }) => [writer, stream, offset, Buffer.from(bytes).toString()]);
  expect(taken).toEqual([
    [7, 1, 0, "hello"],
    [7, 2, 0, "oh"],
    [8, 2, 0, "no"],
  ]);
  put(7, 1, "again");
  ends.set("7 1", 3); // it has gone back to its last image
  put(7, 1, "lo");
  expect(told).toBe(2);
  expect(reader.take().map(({ offset, bytes }) => [offset, bytes.length])).toEqual([
    [5, 5],
    [3, 2],
  ]);
  expect(reader.take()).toEqual([]);
});

test("more than the ring holds passes through it, and whoever puts it waits for room", async () => {
  const reader = new OutputRing();
  const worker = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads");
     import(workerData.module).then(({ OutputRing }) => {
       const ring = new OutputRing(workerData.memory);
       for (let n = 0; n < 40; n++) ring.put({ writer: n % 2, stream: 1, offset: 0, bytes: new Uint8Array(n * 10_007).fill(n) }, () => parentPort.postMessage("there"));
       parentPort.postMessage("end");
     });`,
    { eval: true, workerData: { memory: reader.memory, module: new URL("./output-ring.ts", import.meta.url).href } },
  );
  const wrong: number[] = [];
  let bytes = 0;
  let n = 1;
  let left = 10_007;
  await new Promise<void>((resolve, reject) => {
    worker.on("error", reject);
    worker.on("message", (message) => {
      if (message === "end") return resolve();
      for (const part of reader.take())
        for (const byte of part.bytes) {
          if (byte !== n || part.writer !== n % 2) wrong.push(byte);
          bytes++;
          if (--left === 0) left = ++n * 10_007;
        }
    });
  });
  await worker.terminate();
  expect(wrong).toEqual([]);
  expect(bytes).toBe(10_007 * ((39 * 40) / 2));
});
