import { describe, expect, test } from "vitest";
import { local, programOf } from "../cluster.ts";
import { openPage, withoutChromium } from "./chromium.ts";
import type { Carried, Carry } from "./pages/worker.ts";

type Page = {
  carry(order: Carry): Promise<Carried>;
  badImage(order: Carry): Promise<string>;
  unknownInstruction(): Promise<string>;
};

async function orderFor(name: string, args: string[], more: Partial<Carry> = {}): Promise<Carry> {
  const { bytes, hash } = await programOf(name);
  return { program: bytes, hash, args: [name, ...args], stops: [], ...more };
}

describe.skipIf(withoutChromium("the browser's worker"))("the browser's worker", () => {
  test.each([
    ["", { isolated: true }],
    [" in slices, as on a page that is not isolated threads share no memory", { isolated: false }],
  ])("starts a process, stops it when asked, and another worker goes on from its image%s", async (_how, options) => {
    await using opened = await openPage("worker", options);
    for (const [name, args] of [
      ["longloop", ["400000000"]],
      ["ackermann", ["9", "8000", "20000"]],
      ["steady-lines.c", ["2000"]],
    ] as const) {
      const undisturbed = await local(name, args);
      const order = await orderFor(name, [...args], { stops: [20, 1, 20] });
      const carried = await opened.page.evaluate((it) => (globalThis as unknown as Page).carry(it), order);
      expect(carried.output).toEqual({ 1: undisturbed.out, 2: undisturbed.err });
      expect(carried.ends.at(-1)).toBe("exit 0");
      if (name === "longloop") expect(carried.ends).toEqual(["preempted", "preempted", "preempted", "exit 0"]);
      expect(carried.imageBytes).toHaveLength(carried.ends.length - 1);
    }
  });

  test.each([{ isolated: true }, { isolated: false }])("gives the agent single bytes together: %o", async (options) => {
    await using opened = await openPage("worker", options);
    const order = await orderFor("single-bytes.c", ["30000"]);
    const carried = await opened.page.evaluate((it) => (globalThis as unknown as Page).carry(it), order);
    expect(carried.output[1]).toBe((await local("single-bytes.c", ["30000"])).out);
    expect(carried.outputs).toBeLessThan(1000);
  });

  test("a process that is renewed again and again, beside stops, prints the same", async () => {
    await using opened = await openPage("worker", { isolated: true });
    for (const [name, args] of [
      ["dispatch", ["60000000"]],
      ["sort", ["300000"]],
    ] as const) {
      const order = await orderFor(name, [...args], { stops: [100], renewEveryMs: 1 });
      const carried = await opened.page.evaluate((it) => (globalThis as unknown as Page).carry(it), order);
      expect(carried.output[1]).toBe((await local(name, args)).out);
      expect(carried.ends.at(-1)).toBe("exit 0");
    }
  });

  test("renews a process that computes for long by itself, and no other", async () => {
    await using opened = await openPage("worker", { isolated: true });
    for (const [args, continued] of [
      [["600000000"], true],
      [["1"], false],
    ] as const) {
      const order = await orderFor("longloop", [...args]);
      const carried = await opened.page.evaluate((it) => (globalThis as unknown as Page).carry(it), order);
      expect(carried).toMatchObject({ ends: ["exit 0"], continued });
    }
  });

  test("errors cross with their codes", async () => {
    await using opened = await openPage("worker", { isolated: true });
    const order = await orderFor("hello", []);
    expect(await opened.page.evaluate((it) => (globalThis as unknown as Page).badImage(it), order)).toBe("NS_BAD_IMAGE");
    expect(await opened.page.evaluate(() => (globalThis as unknown as Page).unknownInstruction())).toBe("NS_ENGINE_LACKS");
  });
});
