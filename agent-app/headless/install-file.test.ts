import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { readInstallFile } from "./install-file.ts";

const path = join(mkdtempSync(join(tmpdir(), "ns-installed-")), "install.json");
const said = vi.spyOn(console, "error").mockReturnValue();
afterEach(() => said.mockClear());
const read = (text: string) => {
  writeFileSync(path, text);
  return readInstallFile(path);
};

test("what an administrator put beside the policy counts as told to an installer", () => {
  expect(readInstallFile(path)).toBe(null);
  const LINK = "nightshift://pool.example/#a.b";
  expect(read(JSON.stringify({ join: LINK, pool: "floor-2", mode: "idle", tray: false }))).toEqual({
    ...{ join: LINK, pool: "floor-2", mode: "idle", tray: false, screensaver: false },
    ...{ byInstaller: true, bySetupForOneUser: false },
  });
  expect(read("{}")).toMatchObject({ join: null, pool: null, mode: null, tray: true });
  expect(said).not.toHaveBeenCalled();
});

test("one that is not as it must be is told, without the link in it, and counts as none", () => {
  for (const text of [
    '{"join": "nightshift://secret',
    '{"join": 7}',
    '{"joinn": "nightshift://secret"}',
    `"${"x".repeat(20_000)}secret"`,
  ])
    expect(read(text)).toBe(null);
  expect(said).toHaveBeenCalledTimes(4);
  expect(said.mock.calls.flat().join("\n")).toMatch(/NS_BAD_FILE.*counts for nothing.*join/s);
  expect(said.mock.calls.flat().join("\n")).not.toContain("secret");
});
