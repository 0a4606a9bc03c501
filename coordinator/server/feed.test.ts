import { expect, test } from "vitest";
import { Feed } from "./feed.ts";

const all = (feed: Feed, from: number, beganAt = 0): string[] => feed.since(from, Number.POSITIVE_INFINITY, beganAt).keys;

test("a thing that changed often is told of once, where it changed last", () => {
  const feed = new Feed();
  feed.touch("process/1");
  feed.touch("process/2");
  feed.touch("process/1");
  expect(all(feed, 0)).toEqual(["process/2", "process/1"]);
  expect(all(feed, 2)).toEqual(["process/1"]);
  expect(all(feed, 3)).toEqual([]);
});

test("a reader takes part after part, each thing as it is then, and misses nothing that changes meanwhile", () => {
  const feed = new Feed();
  for (let pid = 1; pid <= 10; pid++) feed.touch(`process/${pid}`);
  const first = feed.since(0, 4);
  expect(first).toEqual({ keys: ["process/1", "process/2", "process/3", "process/4"], cursor: 4, more: true });
  feed.touch("process/2");
  feed.touch("process/9");
  const rest = feed.since(first.cursor, 100);
  expect(rest.keys).toEqual(["process/5", "process/6", "process/7", "process/8", "process/10", "process/2", "process/9"]);
  expect(rest.more).toBe(false);
});

test("what was over before a reader began is nothing to it; what is over since is told", () => {
  const feed = new Feed();
  feed.touch("process/1");
  feed.touch("process/2");
  feed.end("process/1");
  const beganAt = feed.cursor;
  expect(all(feed, 0, beganAt)).toEqual(["process/2"]);
  feed.end("process/2");
  expect(all(feed, 0, beganAt)).toEqual(["process/2"]);
  expect(all(feed, 1)).toEqual(["process/1", "process/2"]);
});

test("the log stays in proportion to what there is, and reading across its compaction misses nothing", () => {
  const feed = new Feed();
  feed.touch("host/a");
  const cursor = feed.cursor;
  for (let turn = 0; turn < 100_000; turn++) feed.touch(`process/${turn % 10}`);
  expect(feed.size).toBeLessThan(2000);
  expect(all(feed, cursor).sort()).toEqual(Array.from({ length: 10 }, (_, at) => `process/${at}`));
});

test("a reader from before what has been forgotten must begin anew, one from after goes on", () => {
  const feed = new Feed();
  feed.touch("host/a");
  const early = feed.cursor;
  for (let pid = 1; pid <= 20_100; pid++) feed.end(`process/${pid}`);
  expect(feed.canGoOn(early)).toBe(false);
  expect(feed.canGoOn(early + 100)).toBe(true);
  expect(feed.canGoOn(feed.cursor)).toBe(true);
  expect(feed.canGoOn(feed.cursor + 1)).toBe(false);
});

test("what was over and has begun again is told also to those who begin", () => {
  const feed = new Feed();
  feed.touch("job/1");
  feed.end("job/1");
  expect(feed.since(0, 10, feed.cursor).keys).toEqual([]);
  feed.touch("job/1");
  expect(feed.since(0, 10, feed.cursor).keys).toEqual(["job/1"]);
});
