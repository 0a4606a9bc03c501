import { mkdirSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatLink, parseLink } from "../protocol/index.ts";
import { parseAddress, resolveTarget } from "./connect.ts";
import { clientKey, rememberCoordinator } from "./home.ts";

const home = (): string => mkdtempSync(join(tmpdir(), "nightshift-home-"));
const key = new Uint8Array(32).fill(7);
const link = formatLink({
  host: "office.example",
  port: 7500,
  tls: false,
  coordinatorKey: key,
  token: new Uint8Array(24).fill(1),
});

describe("the address of a coordinator", () => {
  it.each([
    ["http://office.example:7500", "office.example", 7500],
    ["ws://office.example/", "office.example", 7433],
    ["office.example:7500", "office.example", 7500],
    ["office.example", "office.example", 7433],
    ["http://office.example:80/", "office.example", 80],
    ["[::1]:7500", "::1", 7500],
  ])("%s means %s, port %d", (text, host, port) => expect(parseAddress(text)).toEqual({ host, port }));

  it.each(["", "http://", "ftp://office.example", "a b", "office.example:99999"])("%j is refused", (text) =>
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: "NS_USAGE" })),
  );
});

describe("which coordinator is meant", () => {
  it("a join link says everything", async () => {
    expect(await resolveTarget(link, home())).toMatchObject({
      host: "office.example",
      port: 7500,
      coordinatorKey: key,
      token: parseLink(link).token,
    });
  });

  it("an address suffices once its link was used, and no token is kept", async () => {
    const dir = home();
    await expect(resolveTarget("office.example:7500", dir)).rejects.toMatchObject({ code: "NS_BAD_LINK" });
    await rememberCoordinator(dir, "office.example:7500", parseLink(link));
    const target = await resolveTarget("http://Office.Example:7500/", dir);
    expect(target).toEqual({ host: "office.example", port: 7500, tls: false, coordinatorKey: key });
    expect(statSync(join(dir, "coordinators.json")).mode & 0o777).toBe(0o600);
  });

  it("the one that runs here is the default; without one the error says how to start one", async () => {
    const dir = home();
    await expect(resolveTarget("", dir)).rejects.toMatchObject({ code: "NS_UNREACHABLE", details: { remedy: /nightshift up/ } });
    mkdirSync(join(dir, "coordinator"));
    const endpoint = (pid: number): void =>
      writeFileSync(join(dir, "coordinator", "endpoint.json"), JSON.stringify({ pid, port: 7500, link, startedAt: 1 }));
    endpoint(process.pid);
    expect(await resolveTarget("", dir)).toMatchObject({ host: "office.example", port: 7500 });
    endpoint(0x7ffffffe);
    await expect(resolveTarget("", dir)).rejects.toThrow(/process 2147483646.*gone/);
  });
});

it("the user's key is made once, for this user only, and kept", async () => {
  const dir = home();
  const first = await clientKey(dir);
  expect(await clientKey(dir)).toEqual(first);
  expect(statSync(join(dir, "client.key")).mode & 0o777).toBe(0o600);
  writeFileSync(join(dir, "client.key"), "damaged");
  await expect(clientKey(dir)).rejects.toMatchObject({ code: "NS_HOME_UNUSABLE" });
});
