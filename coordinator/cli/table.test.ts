import { expect, it } from "vitest";
import { displayWidth, renderTable } from "./table.ts";

interface Row {
  pid: number;
  name: string;
}

it("columns are as wide as their widest cell, numbers stand at the right, and no line ends in blanks", () => {
  const rows: Row[] = [
    { pid: 7, name: "a" },
    { pid: 1234, name: "long name" },
  ];
  const text = renderTable<Row>(
    [
      { head: "PID", align: "right", value: (row) => String(row.pid) },
      { head: "NAME", value: (row) => row.name },
      { head: "X", value: () => "" },
    ],
    rows,
  );
  expect(text).toBe(" PID  NAME       X\n   7  a\n1234  long name\n");
});

it("colours do not shift the columns after them", () => {
  const text = renderTable<Row>(
    [
      { head: "NAME", value: (row) => row.name, paint: (cell) => `\x1b[31m${cell}\x1b[39m` },
      { head: "PID", value: (row) => String(row.pid) },
    ],
    [{ pid: 1, name: "ab" }],
  );
  expect(text.split("\n")[1]).toBe("\x1b[31mab  \x1b[39m  1");
});

it("a name that holds control characters cannot steer the terminal", () => {
  const text = renderTable<Row>([{ head: "NAME", value: (row) => row.name }], [{ pid: 1, name: "a\x1b[2Jb\r\nc\u202e" }]);
  expect(text).toBe("NAME\na?[2Jb??c?\n");
});

it("wide characters count two columns, combining marks none", () => {
  expect(displayWidth("héllo")).toBe(5);
  expect(displayWidth("e\u0301")).toBe(1);
  expect(displayWidth("日本")).toBe(4);
  expect(displayWidth("🌙")).toBe(2);
});
