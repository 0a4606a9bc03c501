import { expect, test } from "vitest";
import { fromBase64Url, toBase64Url } from "./link.ts";
import { compareVersions, fileOf, newReleaseKey, openRelease, type ReleaseManifest, replaces, signRelease } from "./release.ts";

const FILE = { name: "Nightshift-Setup-0.2.0.exe", kind: "setup", sizeBytes: 5 } as const;
const HASHES = { sha256: "ab".repeat(32), sha512: `${"A".repeat(86)}==` };
const content: Omit<ReleaseManifest, "format"> = {
  version: "0.2.0",
  signedAt: 1,
  withdraws: [],
  files: [{ ...FILE, ...HASHES }],
};
const mine = newReleaseKey();
const bad = (message: RegExp) => expect.objectContaining({ code: "NS_BAD_RELEASE", message: expect.stringMatching(message) });

test("what a release key has signed is believed by whoever knows that key, and by nobody else", () => {
  const release = signRelease(content, mine.secret);
  expect(openRelease(release, [newReleaseKey().key, mine.key])).toEqual({ format: 1, ...content });
  expect(() => openRelease(release, [newReleaseKey().key])).toThrow(bad(/not a release key here/));
  expect(() => openRelease(release, [])).toThrow(bad(/not a release key here/));
});

test("a changed manifest, signature or key is refused", () => {
  const release = signRelease(content, mine.secret);
  const forged = signRelease(content, newReleaseKey().secret);
  const flipped = fromBase64Url(release.signature) as Uint8Array;
  flipped[40] = (flipped[40] ?? 0) ^ 1;
  for (const changed of [
    { ...release, text: release.text.replace("0.2.0", "0.3.0") },
    { ...release, text: `${release.text} ` },
    { ...release, signature: toBase64Url(flipped) },
    { ...release, signature: forged.signature },
    { ...forged, key: mine.key },
  ])
    expect(() => openRelease(changed, [mine.key])).toThrow(bad(/signature/));
});

test("what agents would refuse cannot be signed", () => {
  const sign = (more: object) => () => signRelease({ ...content, ...more }, mine.secret);
  expect(sign({ version: "0.2" })).toThrow(bad(/version/));
  expect(sign({ version: "0.2.1" })).toThrow(bad(/is called Nightshift-Setup-0\.2\.1\.exe/));
  expect(sign({ withdraws: ["0.2.0"] })).toThrow(bad(/withdraws itself/));
  expect(sign({ files: [] })).toThrow(bad(/files/));
  expect(sign({ files: [content.files[0], content.files[0]] })).toThrow(bad(/for the same/));
  expect(sign({ files: [{ ...FILE, ...HASHES, name: "../Nightshift-Setup-0.2.0.exe" }] })).toThrow(bad(/is called/));
  expect(sign({ more: 1 })).toThrow(bad(/more/));
});

test("files are known by their names, versions by their numbers", () => {
  expect(fileOf("Nightshift-Setup-1.20.3.exe")).toEqual({ kind: "setup", version: "1.20.3" });
  expect(fileOf("nightshift_1.20.3_amd64.deb")).toEqual({ kind: "deb", version: "1.20.3" });
  for (const none of ["Nightshift-Setup-1.20.3-stand-in.exe", "latest.yml", "Nightshift-Setup-01.2.3.exe"])
    expect(fileOf(none)).toBeUndefined();
  expect(["0.10.0", "0.9.9", "1.0.0", "0.9.10"].sort(compareVersions)).toEqual(["0.9.9", "0.9.10", "0.10.0", "1.0.0"]);
});

test("only a newer release replaces a version, unless it takes just that one back", () => {
  expect(replaces({ version: "0.2.0", withdraws: [] }, "0.1.0")).toBe(true);
  expect(replaces({ version: "0.2.0", withdraws: [] }, "0.2.0")).toBe(false);
  expect(replaces({ version: "0.1.0", withdraws: [] }, "0.2.0")).toBe(false);
  expect(replaces({ version: "0.1.0", withdraws: ["0.2.0"] }, "0.2.0")).toBe(true);
  expect(replaces({ version: "0.1.0", withdraws: ["0.2.0"] }, "0.3.0")).toBe(false);
});
