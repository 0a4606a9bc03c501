import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collectFiles, filesMatching, MAX_JOB_BYTES, safeParts, writeBack } from "./job-files.ts";

const folder = (): string => mkdtempSync(join(tmpdir(), "nightshift-files-"));
const refused = expect.objectContaining({ code: "NS_BAD_FILE" });
const bytes = new TextEncoder().encode("new");

describe("what a job wrote comes back into its folder", () => {
  it("with the folders in between, over what was there", async () => {
    const dir = folder();
    writeFileSync(join(dir, "a.txt"), "old");
    await writeBack(dir, "a.txt", bytes);
    await writeBack(dir, "new/deep/b.txt", bytes);
    expect(readFileSync(join(dir, "a.txt"), "utf8")).toBe("new");
    expect(readFileSync(join(dir, "new/deep/b.txt"), "utf8")).toBe("new");
  });

  it.each(["../x", "a/../../x", "/etc/x", "a//b", "./a", "a/.", "..", "", "a\\..\\x", "a\0b", "x".repeat(5000)])(
    "and never outside of it: %j is refused",
    async (path) => {
      const dir = folder();
      await expect(writeBack(dir, path, bytes)).rejects.toEqual(refused);
      expect(existsSync(join(dir, "..", "x"))).toBe(false);
    },
  );

  it("nor through a link, be it a folder or a file", async () => {
    const [dir, outside] = [folder(), folder()];
    writeFileSync(join(outside, "f"), "mine");
    symlinkSync(outside, join(dir, "link"));
    symlinkSync(join(outside, "f"), join(dir, "file"));
    await expect(writeBack(dir, "link/f", bytes)).rejects.toEqual(refused);
    await expect(writeBack(dir, "file", bytes)).rejects.toEqual(refused);
    expect(readFileSync(join(outside, "f"), "utf8")).toBe("mine");
  });

  it("nor over a folder", async () => {
    const dir = folder();
    mkdirSync(join(dir, "d"));
    await expect(writeBack(dir, "d", bytes)).rejects.toEqual(refused);
  });
});

it("names that only look suspicious are allowed", () =>
  expect(safeParts("a..b/...c/.hidden")).toEqual(["a..b", "...c", ".hidden"]));

describe("what goes along with a job", () => {
  it("is every regular file below the folder, by relative path, and no link", async () => {
    const dir = folder();
    mkdirSync(join(dir, "sub"));
    writeFileSync(join(dir, "sub", "b"), "b");
    writeFileSync(join(dir, "a"), "");
    symlinkSync("/etc/passwd", join(dir, "link"));
    const files = await collectFiles(dir);
    expect([...files.keys()]).toEqual(["a", "sub/b"]);
    // SHA-256 of nothing
    expect(files.get("a")).toEqual({ hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", size: 0 });
  });

  it("must be a folder", () => expect(collectFiles(join(folder(), "absent"))).rejects.toEqual(refused));
});

describe("files that match a pattern", () => {
  const dir = folder();
  for (const name of ["a/x.txt", "a/y.txt", "a/y.txt.bak", "a/.z.txt", "b/x.txt", "b/deep/x.txt", "x[1].txt"]) {
    mkdirSync(join(dir, name, ".."), { recursive: true });
    writeFileSync(join(dir, name), "");
  }
  symlinkSync(join(dir, "a/x.txt"), join(dir, "a/link.txt"));

  it.each([
    ["a/*.txt", ["a/x.txt", "a/y.txt"]],
    ["?/x.*", ["a/x.txt", "b/x.txt"]],
    ["*/deep/*", ["b/deep/x.txt"]],
    ["a/.*", ["a/.z.txt"]],
    ["x[1].txt", ["x[1].txt"]],
    ["a/x.txt", ["a/x.txt"]],
    ["a", []],
    ["none/*", []],
  ])("%s", (pattern, found) => {
    expect(filesMatching(dir, pattern)).toEqual(found);
  });
});

it("a folder with too much in it is refused before anything is read, with a word on what to do", async () => {
  const dir = folder();
  writeFileSync(join(dir, "large"), "");
  truncateSync(join(dir, "large"), MAX_JOB_BYTES + 1);
  await expect(collectFiles(dir)).rejects.toMatchObject({ code: "NS_LIMIT", details: { remedy: /smaller folder/ } });
});
