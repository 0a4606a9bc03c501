import { createHash } from "node:crypto";
import { Encoder } from "cbor-x";
import { describe, expect, it } from "vitest";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Sha256 } from "./checkpoint.ts";

const sha256: Sha256 = (parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values);
const program = bytes(0, 97, 115, 109);

const checkpoint: Checkpoint = {
  job: {
    name: "prog",
    program,
    hash: Buffer.from(sha256([program])).toString("hex"),
    args: ["prog", "ä"],
    env: { A: "b" },
    files: new Map([["in/a", bytes(1, 2)]]),
    clock: "virtual",
    memoryLimitBytes: 2 ** 32,
    cpuLimitMs: 0,
    folders: [""],
  },
  savedAtMs: 1_700_000_000_000,
  kernel: {
    processes: [
      { pid: 1, parent: 0, status: null, ends: ["0:r", "1:w"], stopped: false },
      { pid: 2, parent: 1, status: 256, ends: [], stopped: false },
      { pid: 3, parent: 1, status: null, ends: ["1:r"], stopped: true },
    ],
    pipes: [{ object: 1, bytes: bytes(7), outsideWriter: false }],
    nextPipe: 2,
  },
  processes: [
    {
      pid: 1,
      parentPid: 0,
      seed: "1",
      forks: 2,
      cpuMs: 1.5,
      answer: { value: 3, status: undefined, bytes: bytes(9) },
      image: bytes(4, 5),
    },
    { pid: 3, parentPid: 1, seed: "1.1", forks: 0, cpuMs: 0, answer: null, image: null },
  ],
  nextPid: 4,
  report: null,
  processesSoFar: 3,
  moves: 1,
  cpuMs: 2,
  stdin: { position: 10, ended: true, rest: bytes(8) },
  output: { 1: 5, 2: 0 },
  written: new Map([
    ["out", bytes(6)],
    ["in/a", null],
  ]),
};

const encoded = (): Uint8Array => Buffer.concat(encodeCheckpoint(checkpoint, sha256));

/** With its hash made right again, as somebody who means harm would. */
function signed(file: Uint8Array): Uint8Array {
  file.set(sha256([file.subarray(40)]), 8);
  return file;
}

/** The checkpoint with another header. */
function withHeader(header: unknown): Uint8Array {
  const cbor = new Encoder({ useRecords: false }).encode(header);
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, cbor.length, true);
  return signed(Buffer.concat([encoded().subarray(0, 40), size, cbor]));
}

const damage =
  (file: Uint8Array): (() => Checkpoint) =>
  () =>
    decodeCheckpoint(file, sha256);
const refused = (message: RegExp) =>
  expect.objectContaining({ code: "NS_BAD_CHECKPOINT", message: expect.stringMatching(message) });

describe("a checkpoint", () => {
  it("comes back as it was", () => {
    expect(decodeCheckpoint(encoded(), sha256)).toEqual(checkpoint);
  });

  it("is refused at every length but its own", () => {
    const file = encoded();
    for (let length = 0; length < file.length; length++) expect(damage(file.slice(0, length))).toThrow(refused(/./));
    expect(damage(Buffer.concat([file, bytes(0)]))).toThrow(refused(/do not match its hash/));
  });

  it("is refused when any bit of it is another", () => {
    const file = encoded();
    for (let at = 0; at < file.length; at++) {
      const other = file.slice();
      other[at] = (other[at] ?? 0) ^ 1;
      expect(damage(other)).toThrow(refused(/./));
    }
  });

  it("with a right hash but a changed header is a checkpoint or is refused, and nothing else happens", () => {
    const file = encoded();
    for (let at = 44; at < file.length; at++) {
      const other = file.slice();
      other[at] = (other[at] ?? 0) ^ 0x15;
      try {
        decodeCheckpoint(signed(other), sha256);
      } catch (thrown) {
        expect(thrown).toEqual(refused(/./));
      }
    }
  });

  it.each([
    ["of another version", () => signed(Buffer.from(encoded()).fill(9, 4, 5)), /version 9/],
    ["with an empty header", () => withHeader({}), /sizes of the header is no list/],
    ["that is a list", () => withHeader([]), /the header is no map/],
    ["with parts it does not have", () => withHeader({ sizes: [2 ** 40] }), /parts are not whole/],
    ["with a negative size", () => withHeader({ sizes: [-1, 1] }), /no natural number/],
  ])("%s is refused", (_what, file, message) => {
    expect(damage(file())).toThrow(refused(message));
  });

  it("whose processes its kernel does not know is refused", () => {
    const other = { ...checkpoint, processes: checkpoint.processes.slice(0, 1) };
    expect(damage(Buffer.concat(encodeCheckpoint(other, sha256)))).toThrow(refused(/do not fit together/));
  });
});
