// The join link, both ways, and what people's mail programs do to it.
import { describe, expect, test } from "vitest";
import { formatLink, fromBase64Url, parseLink, toBase64Url, tunnelUrl } from "./link.ts";

const coordinatorKey = Uint8Array.from({ length: 32 }, (_, index) => 255 - index * 7);
const token = Uint8Array.from({ length: 16 }, (_, index) => index * 17);
const link = { host: "pool.example.org", port: 7433, tls: false, coordinatorKey, token };
const secret = `${toBase64Url(coordinatorKey)}.${toBase64Url(token)}`;

describe("a join link", () => {
  test.each([
    ["nightshift://pool.example.org:7433/", link, "ws://pool.example.org:7433/tunnel"],
    ["nightshifts://10.0.0.7:443/", { ...link, host: "10.0.0.7", port: 443, tls: true }, "wss://10.0.0.7:443/tunnel"],
    ["nightshift://[fd00::7]:7433/", { ...link, host: "fd00::7" }, "ws://[fd00::7]:7433/tunnel"],
  ])("%s is read, written and led to", (start, parsed, url) => {
    expect(parseLink(`${start}#${secret}`)).toEqual(parsed);
    expect(formatLink(parsed)).toBe(`${start}#${secret}`);
    expect(tunnelUrl(parsed)).toBe(url);
  });

  test("blanks around it, capitals in scheme and host, a missing slash and a missing port are forgiven", () => {
    expect(parseLink(`  NightShift://Pool.Example.org#${secret}\n`)).toEqual(link);
  });

  test.each([
    ["another scheme", `https://pool:7433/#${secret}`, /must look like/],
    ["nothing", "", /must look like/],
    ["no secret", "nightshift://pool:7433/", /must look like/],
    ["a path", `nightshift://pool:7433/x#${secret}`, /must look like/],
    ["no host", `nightshift://:7433/#${secret}`, /host is missing/],
    ["a strange host", `nightshift://po ol:7433/#${secret}`, /not a host name/],
    ["a user name", `nightshift://me@pool:7433/#${secret}`, /not a host name/],
    ["a broken IPv6 address", `nightshift://[fd00::7::1]:7433/#${secret}`, /not an IPv6 address/],
    ["port 0", `nightshift://pool:0/#${secret}`, /port 0/],
    ["port 65536", `nightshift://pool:65536/#${secret}`, /port 65536/],
    ["a port in words", `nightshift://pool:http/#${secret}`, /port http/],
    ["no token", `nightshift://pool:7433/#${secret.split(".")[0]}`, /cut off/],
    ["a short key", `nightshift://pool:7433/#${secret.slice(4)}`, /key/],
    ["a short token", `nightshift://pool:7433/#${secret.slice(0, -4)}`, /token/],
    ["a token with stray bits", `nightshift://pool:7433/#${secret.slice(0, -1)}x`, /token/],
    ["ordinary base64", `nightshift://pool:7433/#${secret.replaceAll("_", "/").replaceAll("-", "+")}=`, /key|token/],
  ])("with %s is refused and says what is wrong", (_what, text, message) => {
    expect(() => parseLink(text)).toThrow(
      expect.objectContaining({ code: "NS_BAD_LINK", message: expect.stringMatching(message) }),
    );
  });

  test("is not written from parts that cannot be read again", () => {
    for (const wrong of [{ port: 0 }, { host: "" }, { host: "a b" }, { token: new Uint8Array(3) }, { coordinatorKey: token }]) {
      expect(() => formatLink({ ...link, ...wrong })).toThrow(expect.objectContaining({ code: "NS_BAD_LINK" }));
    }
  });

  test("base64url comes back for every length", () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => index * 37 + length);
      expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
    }
  });
});
