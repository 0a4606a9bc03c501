import { setTimeout as delay } from "node:timers/promises";
import { nodeCrypto } from "@nightshift/coordinator/protocol/node";
import { expect, test } from "vitest";
import { nodePorts } from "./ports.node.ts";

const link = { host: "moon.example", port: 7433, tls: false, coordinatorKey: new Uint8Array(32) };
const common = {
  name: "amun",
  link,
  key: nodeCrypto.generateKeyPair(),
  slots: 1,
  speed: 1,
  priority: "idle",
  log: () => undefined,
} as const;

test("garbage is collected when asked for", async () => {
  const garbage = new WeakRef(new Uint8Array(2 ** 20));
  await delay(1); // until then it is kept for whoever has asked for it
  nodePorts(common).collectGarbage?.();
  expect(garbage.deref()).toBeUndefined();
});

test("what the coordinator would not take is not said, as it would refuse the host for it", () => {
  const info = (version: string, pool: string) =>
    nodePorts({ ...common, pool, app: { version, kind: "desktop", takes: null } }).hostInfo();
  expect(info("0.2.0", "floor-2")).toMatchObject({ pool: "floor-2", app: { version: "0.2.0" } });
  for (const name of ["app", "pool"]) expect(info("0.2.0-beta.1", "-")).not.toHaveProperty(name);
});
