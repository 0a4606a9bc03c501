// A process goes back and forth between Node and Chromium: wherever it is, its image at a poll has the same bytes, and what it prints is
// what it prints undisturbed.
import { fileURLToPath } from "node:url";
import { instrument } from "@nightshift/wasm-kernels/instrument";
import { noPacker, Program, runLocally } from "@nightshift/wasm-kernels/process";
import { zstdPacker } from "@nightshift/wasm-kernels/process/node";
import { compile } from "@nightshift/wasm-kernels/toolchain";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUILDS, moduleOf, sha256, text } from "../cluster.ts";
import { type Opened, openPage, withoutChromium } from "./chromium.ts";
import type { Asked } from "./pages/stage.worker.ts";
import { runStage, type StageOrder, type StageResult } from "./stage.ts";

const EXCEPTIONS = fileURLToPath(new URL("../../wasm-kernels/toolchain/test-programs/exceptions.cpp", import.meta.url));
const exceptions = async (): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array((await compile({ sources: [EXCEPTIONS], cacheDir: BUILDS })).wasm);

/** Each long enough to be stopped in Chromium some milliseconds after it has begun there. */
const CASES = [
  { name: "ackermann", args: ["9", "3000", "3000"], shape: "recursion" },
  { name: "dispatch", args: ["60000000"], shape: "calls through a table" },
  { name: "vector.c", args: ["100000000"], shape: "a vector alive" },
  { name: "simd", args: ["100"], shape: "arithmetic on vectors" },
  { name: "wordcount", args: ["400000"], shape: "memory that grows" },
  { name: "files", args: ["400"], shape: "open files" },
  { name: "exceptions.cpp", args: [], shape: "C++ exceptions", module: exceptions },
] as { name: string; args: string[]; shape: string; module?: () => Promise<Uint8Array<ArrayBuffer>> }[];

/** How often it changes engines by counted polls, and how many polls are between two changes at most. */
const CHANGES = 6;
const MOST_POLLS = 400;
/** How often it is stopped at a random moment in Chromium. */
const MOMENTS = 4;

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const here = (order: StageOrder): StageResult => runStage(order, noPacker, () => undefined);
const joined = (parts: readonly Uint8Array[]): string => text(Buffer.concat(parts));
const same = (a: Uint8Array | null, b: Uint8Array | null): boolean => a !== null && b !== null && Buffer.compare(a, b) === 0;

describe.skipIf(withoutChromium("processes between Node and Chromium"))("between Node and Chromium", () => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await openPage("stage", { isolated: true });
  });
  afterAll(() => opened?.close());

  const ask = <T>(asked: Asked, stopAfterMs: number | null = null): Promise<T> =>
    opened.page.evaluate((order) => (globalThis as unknown as { ask(order: unknown): Promise<never> }).ask(order), {
      asked,
      stopAfterMs,
    });
  const there = (order: StageOrder, stopAfterMs: number | null = null): Promise<StageResult> =>
    ask({ kind: "stage", order, packer: "none" }, stopAfterMs);

  test.each(CASES)(
    "$name ($shape) has the same images at the same polls, and prints the same",
    async ({ name, args, module }) => {
      const seed = Number(process.env.ENGINES_SEED ?? Math.floor(Math.random() * 2 ** 31));
      const random = randomFrom(seed);
      const what = `ENGINES_SEED=${seed}`;
      const plain = await (module ? module() : moduleOf(name));
      const { wasm: bytes } = instrument(plain);
      const hash = sha256(bytes);
      const undisturbed = runLocally({ program: new Program(hash, bytes), args: [name, ...args], now: () => 0, cpuNow: () => 0 });
      const order = { hash, bytes, args: [name, ...args] };

      const output: Uint8Array[] = [];
      let last: StageResult | undefined;
      const took = (result: StageResult): StageResult => {
        output.push(result.output);
        last = result;
        return result;
      };
      const next = (polls: number | null): StageOrder => ({ ...order, image: last?.image ?? null, polls });
      /** What one engine makes of an image another one makes too. */
      const inBoth = async (): Promise<{ inNode: StageResult; inChromium: StageResult }> => {
        const stage = next(1 + Math.floor(random() * MOST_POLLS));
        const [inNode, inChromium] = [here(stage), await there(stage)];
        expect(inChromium.polls, what).toBe(inNode.polls);
        expect(inChromium.stop, what).toEqual(inNode.stop);
        expect(inChromium.image === null || same(inChromium.image, inNode.image), `${what}: the images are the same`).toBe(true);
        return { inNode, inChromium };
      };
      for (let change = 0; change < CHANGES; change++) {
        const { inNode, inChromium } = await inBoth();
        expect(took(change % 2 === 0 ? inNode : inChromium).image).not.toBeNull();
      }
      // At random moments, whatever it is doing there.
      let moments = 0;
      for (; moments < MOMENTS && last?.image; moments++)
        if (took(await there(next(null), random() * 12)).image) took((await inBoth()).inNode);
      if (last?.image) took(here(next(null)));
      console.log(`${name}: ${what}, ${CHANGES} changes of engine, then stopped at ${moments} moments in Chromium`);
      expect(joined(output), what).toBe(text(undisturbed.stdout) + text(undisturbed.stderr));
      expect(last?.stop, what).toEqual(undisturbed.stop);
    },
  );

  test("fork(), pipes and signals work in a page: whole jobs print there what they print here", async () => {
    for (const [name, args] of [
      ["fork-fibonacci", ["18", "5"]],
      ["pipeline", []],
      ["signals", []],
    ] as const) {
      const module = await moduleOf(name);
      const job = { kind: "job", order: { module, args: [name, ...args] } } as const;
      const inChromium = await ask<ReturnType<typeof runLocally>>(job);
      const program = new Program("0".repeat(64), instrument(module).wasm);
      const inNode = runLocally({ program, args: job.order.args, now: () => 0, cpuNow: () => 0 });
      expect(text(inChromium.stdout)).toBe(text(inNode.stdout));
      expect(inNode.stdout.length).toBeGreaterThan(20);
      expect(inChromium.processes).toBe(inNode.processes);
      expect(inNode.processes).toBeGreaterThan(1);
      expect(inChromium.stop).toEqual(inNode.stop);
    }
  });

  test("a module made migratable in Chromium is the one made here", async () => {
    const module = await moduleOf("wordcount");
    expect(same(await ask({ kind: "instrument", module }), instrument(module).wasm)).toBe(true);
  });

  test("packed images are read on the other side", async () => {
    const { wasm: bytes } = instrument(await moduleOf("wordcount"));
    const order: StageOrder = { hash: sha256(bytes), bytes, args: ["wordcount", "50000"], image: null, polls: 300 };
    const fromNode = runStage(order, zstdPacker, () => undefined);
    const fromChromium = await ask<StageResult>({
      kind: "stage",
      order: { ...order, image: fromNode.image, polls: 300 },
      packer: "zstd",
    });
    const end = runStage({ ...order, image: fromChromium.image, polls: null }, zstdPacker, () => undefined);
    const undisturbed = here({ ...order, polls: null });
    expect(joined([fromNode.output, fromChromium.output, end.output])).toBe(text(undisturbed.output));
    expect(fromChromium.image?.length).toBeLessThan(here({ ...order, polls: 600 }).image?.length ?? 0);
  });
});
