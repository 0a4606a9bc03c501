import { expect, test } from "vitest";
import { must } from "../errors.ts";
import { Files } from "./files.ts";

test("what a restored process writes does not change the state it was restored from, which may be restored again", () => {
  const state = {
    nextInode: 3,
    nodes: [
      { inode: 1, times: [0n, 0n, 0n] as [bigint, bigint, bigint], nextSerial: 4 },
      { inode: 2, times: [0n, 0n, 0n] as [bigint, bigint, bigint], bytes: new Uint8Array([1, 2, 3]) },
    ],
    names: [[1, "written", 2, 3] as [number, string, number, number]],
  };
  const { files, nodes } = Files.restore(new Map(), state);
  const file = must(nodes.get(2), "the file");
  if (file.kind !== "file") throw new Error("it is no file");
  files.write(file, 1, new Uint8Array([9]), 0n);
  expect([...file.bytes.subarray(0, file.size)]).toEqual([1, 9, 3]);
  expect([...(state.nodes[1]?.bytes ?? [])]).toEqual([1, 2, 3]);
});
