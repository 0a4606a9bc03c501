import { instrument } from "@nightshift/wasm-kernels/instrument";
import { checkModule } from "@nightshift/wasm-kernels/process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, delay, moduleOf, refusal, sha256 } from "../cluster.ts";

let cluster: Cluster;
let hello: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  cluster = await Cluster.start({ agents: ["amun"] });
  hello = await moduleOf("hello");
});
afterAll(() => cluster?.close());

const EMPTY_MODULE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
const section = (id: number, bytes: number[]): number[] => [id, bytes.length, ...bytes];
const wasm = (...sections: number[][]): Uint8Array<ArrayBuffer> => Uint8Array.from([...EMPTY_MODULE, ...sections.flat()]);
const TYPE_NONE = section(1, [1, 0x60, 0, 0]);

/** One function () -> () with this body, exported as _start, beside a memory. */
const command = (body: number[], imports: number[] = [0], exports = 1): Uint8Array<ArrayBuffer> =>
  wasm(
    TYPE_NONE,
    section(2, imports),
    section(3, [1, 0]),
    section(5, [1, 0, 1]),
    section(7, [2, ...name("_start"), 0, exports - 1, ...name("memory"), 2, 0]),
    section(10, [1, body.length + 2, 0, ...body, 0x0b]),
  );

const bad: { what: string; bytes: () => Uint8Array<ArrayBuffer>; code: string; message: RegExp }[] = [
  { what: "an empty file", bytes: () => new Uint8Array(0), code: "NS_NOT_WASM", message: /./ },
  { what: "text", bytes: () => new Uint8Array(Buffer.from("#!/bin/sh\nexit\n")), code: "NS_NOT_WASM", message: /./ },
  {
    what: "a module with imports nobody provides",
    bytes: () => command([], [2, ...name("env"), ...name("launch"), 0, 0, ...name("gpu"), ...name("draw"), 0, 0], 3),
    code: "NS_UNKNOWN_IMPORT",
    message: /env\.launch.*gpu\.draw/,
  },
  { what: "a module cut in half", bytes: () => hello.slice(0, hello.length >> 1), code: "NS_BAD_MODULE", message: /./ },
  { what: "a module cut by one byte", bytes: () => hello.slice(0, -1), code: "NS_BAD_MODULE", message: /./ },
  // i32.add on an empty stack
  { what: "a module that does not validate", bytes: () => command([0x6a]), code: "NS_BAD_MODULE", message: /i32\.add|validate/ },
  { what: "a module without _start", bytes: () => wasm(), code: "NS_BAD_MODULE", message: /_start/ },
  {
    what: "a module that is migratable already",
    bytes: () => instrument(hello).wasm,
    code: "NS_NOT_MIGRATABLE",
    message: /already/,
  },
];

describe.each(bad)("$what", ({ bytes, code, message }) => {
  test("is refused when it is checked, with what is wrong", async () => {
    const error = await refusal(
      (async () => {
        checkModule(bytes());
        instrument(bytes());
      })(),
    );
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  test("is refused by the coordinator with the same code, and the next module is taken", async () => {
    const error = await refusal(cluster.instrument(bytes()));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(await cluster.run("hello", ["after"])).toMatchObject({ report: { kind: "exit", code: 0 } });
  });
});

test("every byte of a module damaged at random is either harmless or refused with a code, and never stops the coordinator", async () => {
  let seed = 12345;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed % below;
  };
  const codes = new Map<string, number>();
  for (let round = 0; round < 300; round++) {
    await delay(0); // this thread answers the coordinator meanwhile, which else takes it for gone
    const damaged = hello.slice();
    for (let at = 0; at <= round % 3; at++) damaged[random(damaged.length)] = random(256);
    let code = "accepted";
    try {
      checkModule(damaged);
      instrument(damaged);
    } catch (thrown) {
      code = (thrown as { code?: string }).code ?? String(thrown);
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  for (const code of codes.keys())
    expect(code).toMatch(/^(accepted|NS_NOT_WASM|NS_BAD_MODULE|NS_UNKNOWN_IMPORT|NS_NOT_MIGRATABLE)$/);
  expect(codes.get("accepted")).toBeGreaterThan(0);
  expect(codes.get("NS_BAD_MODULE")).toBeGreaterThan(0);
});

test("a job of a program nobody uploaded, a file nobody uploaded, or a host that is not there is refused or fails by name", async () => {
  const nowhere = sha256(new Uint8Array(3));
  const spec = { env: {}, memoryLimitBytes: 2 ** 30, cpuLimitMs: 0, clock: "virtual", startOn: null, stay: false } as const;
  const job = { ...spec, name: "x", args: [], files: {}, stdin: false, program: nowhere };
  expect((await refusal(cluster.client.request("submit", job))).code).toBe("NS_NOT_FOUND");
  expect((await refusal(cluster.client.request("instrument", { module: nowhere }))).code).toBe("NS_NOT_FOUND");
  // Nor what somebody uploaded but nobody has made migratable: it may say anything of itself.
  const forged = Uint8Array.from([
    ...hello.subarray(0, 8),
    ...section(0, [...name("nightshift.pinned"), ...name("mine")]),
    ...hello.subarray(8),
  ]);
  await cluster.instrument(forged);
  expect((await refusal(cluster.client.request("submit", { ...job, program: sha256(forged) }))).code).toBe("NS_NOT_FOUND");
  expect((await refusal(cluster.submit("hello", [], { startOn: "nowhere" }))).code).toBe("NS_NO_SUCH_HOST");
  const ended = await cluster.run("hello", [], { files: { "a.txt": { hash: nowhere, size: 3 } } });
  expect(ended.report).toMatchObject({ kind: "fault", code: "NS_NOT_FOUND" });
});
