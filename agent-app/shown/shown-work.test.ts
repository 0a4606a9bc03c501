import type { Work } from "@nightshift/coordinator/protocol";
import { expect, test } from "vitest";
import { type Shown, withNews } from "./shown.ts";
import { type Printer, ShownWork } from "./shown-work.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
/** A picture as high as wide, each point as bright as the number of its row. */
const picture = (side: number): Uint8Array =>
  Uint8Array.from([
    ...text(`P5 ${side} ${side} 255\n`),
    ...Array.from({ length: side * side }, (_, at) => Math.floor(at / side)),
  ]);

/** A host, a coordinator that knows what was printed, and a screen. */
class World {
  now = 0;
  readonly asked: { pid: number; offset: number }[] = [];
  readonly work = new ShownWork(
    (pid, _epoch, offset) => void this.asked.push({ pid, offset }),
    () => this.now,
  );
  shown: Shown | null = null;

  printer(pid: number, work: Partial<Work> | null, unacknowledged: { offset: number; bytes: Uint8Array }[] = []): Printer {
    const whose = work && { job: 1, name: "dawn", part: 1, parts: 1, by: "ada", show: "image" as const, ...work };
    return { pid, epoch: 1, work: whose, unacknowledged: () => unacknowledged };
  }
  /** What the screen has after another second. */
  look(): (string | number)[] {
    this.now += 1_000;
    const news = this.work.news();
    if (news !== undefined) this.shown = news && withNews(this.shown, news);
    return (this.shown?.tiles ?? []).map(({ part, state, content }) =>
      [
        part,
        state,
        content?.kind === "image" ? content.picture.rows : (content?.bins.filter((bin) => bin !== null).length ?? "-"),
      ].join(" "),
    );
  }
}

test("nothing is kept, asked or told unless somebody watches and the submitter wants it shown", () => {
  const world = new World();
  const [open, closed] = [world.printer(1, {}), world.printer(2, { job: 9, show: undefined })];
  world.work.came(closed);
  world.work.came(open);
  world.work.printed(open, 0, picture(4));
  expect([world.look(), world.asked, world.work.news()]).toEqual([[], [], undefined]);
  world.work.watch(true);
  world.work.came(world.printer(3, null));
  expect([world.look(), world.asked]).toEqual([["1 here -"], [{ pid: 1, offset: 0 }]]);
  world.work.watch(false);
  expect(world.work.news()).toBeUndefined();
});

test("what is printed while somebody watches is seen as it comes, and stays when the process has ended", () => {
  const world = new World();
  const printer = world.printer(1, {});
  world.work.watch(true);
  world.work.came(printer);
  world.work.printed(printer, 0, picture(4).subarray(0, 15));
  expect(world.look()).toEqual(["1 here 1"]);
  expect(world.work.news()).toBeUndefined(); // nothing has changed
  world.work.printed(printer, 10, picture(4).subarray(10)); // said again in part
  world.work.left(printer, true);
  expect(world.look()).toEqual(["1 ended 4"]);
  const content = world.shown?.tiles[0]?.content;
  expect(content?.kind === "image" && [...content.picture.pixels].filter((_, at) => at % 12 === 0)).toEqual([0, 1, 2, 3]);
  expect(world.shown).toMatchObject({ job: 1, name: "dawn", by: "ada", kind: "image", parts: 1, first: 1, places: 1 });
});

test("a process that came in the middle of its picture: the coordinator tells what was before, the outbox what it does not have yet", () => {
  const world = new World();
  const bytes = picture(6);
  const kept: { offset: number; bytes: Uint8Array }[] = [];
  const printer = world.printer(1, {}, kept);
  world.work.watch(true);
  world.work.came(printer);
  // It goes on printing before there is an answer.
  for (let at = 25; at < bytes.length; at += 5) {
    kept.push({ offset: at, bytes: bytes.subarray(at, at + 5) });
    world.work.printed(printer, at, bytes.subarray(at, at + 5));
  }
  expect([world.look(), world.asked]).toEqual([["1 here -"], [{ pid: 1, offset: 0 }]]);
  world.work.answered(printer, 0, bytes.subarray(0, 20), 25);
  expect([world.look(), world.asked.at(-1)]).toEqual([["1 here 1"], { pid: 1, offset: 20 }]);
  world.work.answered(printer, 20, bytes.subarray(20, 25), 25);
  expect(world.look()).toEqual(["1 here 6"]);
  expect(world.asked).toHaveLength(2);
});

test("an answer that was lost with its connection is asked for again", () => {
  const world = new World();
  world.work.watch(true);
  world.work.came(world.printer(1, {}));
  world.work.reconnected();
  expect(world.asked).toEqual([
    { pid: 1, offset: 0 },
    { pid: 1, offset: 0 },
  ]);
});

test("of what cannot be told, numbers are shown from there on, and a picture not at all", () => {
  const world = new World();
  const [numbers, image] = [world.printer(1, { part: 1, parts: 2, show: "spectrum" }), world.printer(2, { part: 2, parts: 2 })];
  world.work.watch(true);
  world.work.came(numbers);
  world.work.answered(numbers, 100, text(""), 100);
  world.work.printed(numbers, 100, text("999\n4\n5\n"));
  expect(world.look()).toEqual(["1 here 2"]);
  world.work.left(numbers, false);
  const other = new World();
  other.work.watch(true);
  other.work.came(image);
  other.work.answered(image, 100, text(""), 100);
  other.work.printed(image, 100, picture(4));
  expect(other.look()).toEqual(["2 here -"]);
});

test("of very many numbers only the last are asked for, of a huge picture nothing", () => {
  const world = new World();
  const numbers = world.printer(1, { show: "spectrum" });
  world.work.watch(true);
  world.work.came(numbers);
  world.work.answered(numbers, 0, text("1\n"), 10_000_000);
  expect(world.asked.at(-1)).toEqual({ pid: 1, offset: 10_000_000 - 2 ** 19 });
  const other = new World();
  const image = other.printer(1, {});
  other.work.watch(true);
  other.work.came(image);
  other.work.answered(image, 0, picture(4), 100_000_000);
  other.work.printed(image, 100_000_000, picture(4));
  expect([other.look(), other.asked.length]).toEqual([["1 here -"], 1]);
});

test("parts are tiles, at most 64 at a time: those among which the newest is", () => {
  const world = new World();
  world.work.watch(true);
  const come = (part: number): Printer => {
    const printer = world.printer(part, { part, parts: 100 });
    world.work.came(printer);
    world.work.printed(printer, 0, picture(3));
    return printer;
  };
  const [first] = [come(1), come(64)];
  world.work.left(first, true);
  expect(world.look()).toEqual(["1 ended 3", "64 here 3"]);
  come(66);
  expect(world.look()).toEqual(["66 here 3"]);
  expect(world.shown).toMatchObject({ first: 65, places: 36 });
  come(2); // was late
  expect(world.look()).toEqual(["66 here 3"]);
});

test("a file that is a picture is shown when nothing was printed that is one", () => {
  const world = new World();
  const printer = world.printer(1, {});
  world.work.watch(true);
  world.work.came(printer);
  world.work.printed(printer, 0, text("rendering\n"));
  world.work.wrote(printer, [text("log"), null, picture(5)]);
  world.work.left(printer, true);
  expect(world.look()).toEqual(["1 ended 5"]);
});

test("a large file is read a mebibyte a second: the thread that reads it is the one that stops everything for the owner", () => {
  const world = new World();
  const printer = world.printer(1, {});
  const bytes = picture(1900); // 3.4 MiB
  world.work.watch(true);
  world.work.came(printer);
  world.work.wrote(printer, [bytes]);
  world.work.left(printer, true);
  const rows = (): number => Number(`${world.look()[0]}`.split(" ")[2]);
  const seen = [rows(), rows(), rows()];
  expect(seen[0]).toBeGreaterThan(0);
  expect(seen[0]).toBeLessThan(seen[1] ?? 0);
  expect(seen[1]).toBeLessThan(seen[2] ?? 0);
  const content = world.shown?.tiles[0]?.content;
  expect(content?.kind === "image" && content.picture.height).toBe(seen[2]);
  expect(world.work.news()).toBeUndefined();
});

test("of many files only the first that may be pictures are tried", () => {
  const world = new World();
  const printer = world.printer(1, {});
  world.work.watch(true);
  world.work.came(printer);
  const none = text("P3 2 2 255 no picture");
  world.work.wrote(printer, [...Array.from({ length: 100 }, () => text("log")), none, none, none, none, picture(5)]);
  expect(world.look()).toEqual(["1 here -"]);
  world.work.wrote(printer, [none, none, none, picture(5)]);
  expect(world.look()).toEqual(["1 here 5"]);
});

test("who prints faster than the coordinator tells is asked for once a second, not without end", () => {
  const world = new World();
  const numbers = world.printer(1, { show: "spectrum" });
  world.work.watch(true);
  world.work.came(numbers);
  let end = 0;
  for (let answers = 0; answers < 50; answers++) {
    end += 2 ** 20;
    const last = world.asked.at(-1);
    world.work.answered(numbers, last?.offset ?? 0, text("1\n"), end);
    world.work.printed(numbers, end, text("2\n"));
  }
  expect(world.asked).toHaveLength(2);
  world.look();
  expect(world.asked).toHaveLength(3);
});

test("one job at a time: the next when nothing of the first is here, and nothing a minute after the last", () => {
  const world = new World();
  world.work.watch(true);
  const [first, second] = [world.printer(1, {}), world.printer(2, { job: 2, show: "spectrum" })];
  world.work.came(first);
  world.work.came(second);
  expect([world.look(), world.shown?.job]).toEqual([["1 here -"], 1]);
  world.work.left(first, true);
  expect([world.look(), world.shown?.job]).toEqual([["1 here -"], 2]);
  world.work.left(second, true);
  const other = new World();
  other.work.watch(true);
  other.work.came(first);
  other.work.left(first, true);
  expect(other.look()).toEqual(["1 ended -"]);
  other.now += 61_000;
  other.look();
  expect(other.shown).toBeNull();
});

test("a process that was moved away leaves its tile as it was", () => {
  const world = new World();
  const printer = world.printer(1, {});
  world.work.watch(true);
  world.work.came(printer);
  world.work.printed(printer, 0, picture(4).subarray(0, 19));
  world.work.left(printer, false);
  expect(world.look()).toEqual(["1 gone 2"]);
});
