// Programs with fuel, for engines whose threads share no memory, also with their control memory in another module, for engines whose modules have one
// memory: they print what they print without, are left where they would be, with the same images.
import { instrument, parseModule, withFuel } from "@nightshift/wasm-kernels/instrument";
import { encodeImage, Process, type ProcessOptions, Program, requestStop, runLocally } from "@nightshift/wasm-kernels/process";
import { programNamed } from "@nightshift/wasm-kernels/programs";
import { describe, expect, test } from "vitest";
import { moduleOf, text } from "./cluster.ts";

const times = { now: () => 0, cpuNow: () => 0 };
const small: Record<string, string[]> = {
  ackermann: ["2", "60", "60"],
  dispatch: ["20000"],
  wordcount: ["300"],
  strings: ["5"],
  pipeline: ["3", "50"],
};

const KINDS = [
  ["", false],
  [" and one memory", true],
] as const;

async function both(name: string, oneMemory: boolean): Promise<{ plain: Program; fuelled: Program; args: string[] }> {
  const wasm = instrument(await moduleOf(name)).wasm;
  const args = [name, ...(small[name] ?? programNamed(name).args)];
  expect(parseModule(withFuel(wasm, oneMemory)).memories).toHaveLength(oneMemory ? 1 : 2);
  return { plain: new Program(name, wasm), fuelled: new Program(name, withFuel(wasm, oneMemory)), args };
}

describe.each(["ackermann", "dispatch", "wordcount", "strings", "pipeline"])("%s with fuel", (name) => {
  test.each(KINDS)("%s prints the same, and is left whenever it gets no more", async (_kind, oneMemory) => {
    const { plain, fuelled, args } = await both(name, oneMemory);
    const expected = runLocally({ program: plain, args, ...times });
    expect(runLocally({ program: fuelled, args, refuel: () => 1000, ...times }).stdout).toEqual(expected.stdout);
    let asked = 0;
    const stopped = runLocally({
      program: fuelled,
      args,
      refuel: () => (++asked % 3 === 0 ? 0 : 10),
      moveAt: () => true,
      ...times,
    });
    expect(text(stopped.stdout)).toBe(text(expected.stdout));
    expect(stopped.stop).toEqual(expected.stop);
    expect(stopped.preemptions).toBe(Math.floor(asked / 3));
    expect(stopped.preemptions).toBeGreaterThan(2);
  });
});

test.each(KINDS)(
  "with fuel%s it is left as by the flag, with the same image, and goes on without fuel where it was left with it, and back",
  async (_kind, oneMemory) => {
    const { plain, fuelled, args } = await both("ackermann", oneMemory);
    const written: Uint8Array[] = [];
    const options = (program: Program, refuel?: () => number): ProcessOptions => ({
      ...{
        program,
        pid: 1,
        parentPid: 0,
        seed: "1",
        args,
        env: {},
        files: new Map(),
        clock: "virtual",
        memoryLimitBytes: 2 ** 26,
      },
      ...{ ...times, refuel, onPipeClosed: () => undefined },
      onOutput: (_stream, _offset, bytes) => void written.push(bytes),
    });
    const same = (a: Process, b: Process): void =>
      expect(Buffer.compare(encodeImage(a.capture(false)), encodeImage(b.capture(false)))).toBe(0);
    const burning = Process.start(options(fuelled, () => 0));
    const flagged = Process.start(options(plain));
    requestStop(flagged.control);
    expect([burning.run(), flagged.run()]).toEqual([{ kind: "preempted" }, { kind: "preempted" }]);
    same(burning, flagged);
    let image = burning.capture(false);
    for (let carried = 0; carried < 20; carried++) {
      let asked = 0;
      const here = Process.restore(
        options(fuelled, () => (asked++ === 0 ? 7 : 0)),
        image,
        null,
      );
      expect(here.run()).toEqual({ kind: "preempted" });
      image = here.capture(false);
      const there = Process.restore(options(plain), image, null);
      same(here, there);
      requestStop(there.control);
      expect(there.run()).toEqual({ kind: "preempted" });
      image = there.capture(false);
    }
    expect(Process.restore(options(plain), image, null).run()).toEqual({ kind: "exit", code: 0 });
    expect(Buffer.concat(written)).toEqual(Buffer.from(runLocally({ program: plain, args, ...times }).stdout));
  },
);
