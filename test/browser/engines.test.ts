// A process goes back and forth between Node and a browser, of each of the three engines that there are: wherever it is, its image at a poll has the
// same bytes, and what it prints is what it prints undisturbed.
import { fileURLToPath } from "node:url";
import { instrument } from "@nightshift/wasm-kernels/instrument";
import { randomProgram } from "@nightshift/wasm-kernels/instrument/fuzz";
import { noPacker, Program, runLocally, runPlain } from "@nightshift/wasm-kernels/process";
import { zstdPacker } from "@nightshift/wasm-kernels/process/node";
import { compile } from "@nightshift/wasm-kernels/toolchain";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUILDS, moduleOf, sha256, text } from "../cluster.ts";
import { without } from "./driven.ts";
import { ENGINES, type OpenedIn, openIn } from "./engines.ts";
import type { Asked } from "./pages/stage.worker.ts";
import { runStage, type StageOrder, type StageResult } from "./stage.ts";

const EXCEPTIONS = fileURLToPath(new URL("../../wasm-kernels/toolchain/test-programs/exceptions.cpp", import.meta.url));
const exceptions = async (): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array((await compile({ sources: [EXCEPTIONS], cacheDir: BUILDS })).wasm);

/** Each long enough to be stopped in a browser some milliseconds after it has begun there. */
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
/** How often it is stopped at a random moment in the browser. */
const MOMENTS = 4;

/** FUZZ_PROGRAMS=1000 FUZZ_SEED=1 npx vitest run engines -t random      for a night */
const PROGRAMS = Number(process.env.FUZZ_PROGRAMS ?? 8);
const FIRST_SEED = Number(process.env.FUZZ_SEED ?? 1);

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

describe.each(ENGINES.map((engine) => ({ engine, name: engine.name })))("between Node and $name", ({ engine }) => {
  describe.skipIf(without(engine, `processes between Node and ${engine.name}`))("", () => {
    let opened: OpenedIn;
    beforeAll(async () => {
      opened = await openIn(engine, "stage", true);
    });
    afterAll(() => opened?.close());

    const ask = <T>(asked: Asked, stopAfterMs: number | null = null): Promise<T> =>
      opened.tab.evaluate(
        (order: { asked: Asked; stopAfterMs: number | null }) =>
          (globalThis as unknown as { ask(order: unknown): Promise<never> }).ask(order),
        {
          asked,
          stopAfterMs,
        },
      );
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
        const undisturbed = runLocally({
          program: new Program(hash, bytes),
          args: [name, ...args],
          now: () => 0,
          cpuNow: () => 0,
        });
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
        const inBoth = async (): Promise<{ inNode: StageResult; inBrowser: StageResult }> => {
          const stage = next(1 + Math.floor(random() * MOST_POLLS));
          const [inNode, inBrowser] = [here(stage), await there(stage)];
          expect(inBrowser.polls, what).toBe(inNode.polls);
          expect(inBrowser.stop, what).toEqual(inNode.stop);
          expect(inBrowser.image === null || same(inBrowser.image, inNode.image), `${what}: the images are the same`).toBe(true);
          return { inNode, inBrowser };
        };
        for (let change = 0; change < CHANGES; change++) {
          const { inNode, inBrowser } = await inBoth();
          expect(took(change % 2 === 0 ? inNode : inBrowser).image).not.toBeNull();
        }
        // At random moments, whatever it is doing there.
        let moments = 0;
        for (; moments < MOMENTS && last?.image; moments++)
          if (took(await there(next(null), random() * 12)).image) took((await inBoth()).inNode);
        if (last?.image) took(here(next(null)));
        console.log(`${name}: ${what}, ${CHANGES} changes of engine, then stopped at ${moments} moments in ${engine.name}`);
        expect(joined(output), what).toBe(text(undisturbed.stdout) + text(undisturbed.stderr));
        expect(last?.stop, what).toEqual(undisturbed.stop);
      },
    );

    test("fork(), pipes and signals work in a page: whole jobs print there what they print here", async () => {
      for (const [name, args] of [
        ["fork-fibonacci", ["18", "5"]],
        ["pipeline", ["20000"]],
        ["signals", []],
      ] as const) {
        const module = await moduleOf(name);
        const job = { kind: "job", order: { module, args: [name, ...args], stopped: false } } as const;
        const inBrowser = await ask<ReturnType<typeof runLocally>>(job);
        const program = new Program("0".repeat(64), instrument(module).wasm);
        const inNode = runLocally({ program, args: job.order.args, now: () => 0, cpuNow: () => 0 });
        expect(text(inBrowser.stdout)).toBe(text(inNode.stdout));
        expect(inNode.stdout.length).toBeGreaterThan(20);
        expect(inBrowser.processes).toBe(inNode.processes);
        expect(inNode.processes).toBeGreaterThan(1);
        expect(inBrowser.stop).toEqual(inNode.stop);
      }
    });

    test(`${PROGRAMS} random programs, stopped at polls there and moved, do what their plain modules do here`, async () => {
      let moves = 0;
      for (let seed = FIRST_SEED; seed < FIRST_SEED + PROGRAMS; seed++) {
        const module = randomProgram(seed);
        const plain = runPlain({ module: new WebAssembly.Module(module), args: ["fuzz"], now: () => 0 });
        const inBrowser = await ask<ReturnType<typeof runLocally>>({
          kind: "job",
          order: { module, args: ["fuzz"], stopped: true },
        });
        const how = (stop: object): unknown => ({ ...stop, wasmStack: [] });
        const expected = { seed, output: joined(plain.stdout), stop: how(plain.stop) };
        expect({ seed, output: text(inBrowser.stdout), stop: how(inBrowser.stop) }).toEqual(expected);
        moves += inBrowser.moves;
      }
      expect(moves).toBeGreaterThan(PROGRAMS);
    });

    test("a module made migratable there is the one made here", async () => {
      const module = await moduleOf("wordcount");
      expect(same(await ask({ kind: "instrument", module }), instrument(module).wasm)).toBe(true);
    });

    test("packed images are read on the other side", async () => {
      const { wasm: bytes } = instrument(await moduleOf("wordcount"));
      const order: StageOrder = { hash: sha256(bytes), bytes, args: ["wordcount", "50000"], image: null, polls: 300 };
      const fromNode = runStage(order, zstdPacker, () => undefined);
      const fromBrowser = await ask<StageResult>({
        kind: "stage",
        order: { ...order, image: fromNode.image, polls: 300 },
        packer: "zstd",
      });
      const end = runStage({ ...order, image: fromBrowser.image, polls: null }, zstdPacker, () => undefined);
      const undisturbed = here({ ...order, polls: null });
      expect(joined([fromNode.output, fromBrowser.output, end.output])).toBe(text(undisturbed.output));
      expect(fromBrowser.image?.length).toBeLessThan(here({ ...order, polls: 600 }).image?.length ?? 0);
    });
  });
});
