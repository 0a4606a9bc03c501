// The gate against floods of newcomers, with time given.
import { expect, test } from "vitest";
import { bucketKey, HandshakeGate } from "./handshake-gate.ts";

const admitted = (gate: HandshakeGate, address: string, count: number, nowMs: number) =>
  Array.from({ length: count }, () => gate.admit(address, nowMs)).filter((answer) => answer === "yes").length;

test("an address may begin a burst, then as many as it earns again, and never more than the burst", () => {
  const gate = new HandshakeGate({ burst: 5, perSecond: 2 });
  expect(admitted(gate, "10.0.0.1", 20, 0)).toBe(5);
  expect(gate.admit("10.0.0.1", 400)).toBe("rate");
  expect(admitted(gate, "10.0.0.1", 20, 1000)).toBe(2);
  expect(admitted(gate, "10.0.0.1", 20, 1_000_000)).toBe(5);
});

test("one address's flood does not keep another out", () => {
  const gate = new HandshakeGate({ burst: 5, perSecond: 0 });
  admitted(gate, "10.0.0.1", 100, 0);
  expect(gate.admit("10.0.0.2", 0)).toBe("yes");
});

test("unauthenticated connections are bounded over all addresses until some are settled", () => {
  const gate = new HandshakeGate({ maxPending: 2 });
  expect(["a", "b", "c"].map((address) => gate.admit(address, 0))).toEqual(["yes", "yes", "full"]);
  gate.settled();
  expect(gate.admit("c", 0)).toBe("yes");
  expect(gate.pending).toBe(2);
});

test("the addresses remembered are bounded, the one quiet longest is forgotten first", () => {
  const gate = new HandshakeGate({ burst: 1, perSecond: 0, maxAddresses: 2 });
  expect(["a", "b", "a", "c"].map((address) => gate.admit(address, 0))).toEqual(["yes", "yes", "rate", "yes"]);
  expect(gate.admit("a", 0)).toBe("rate");
  expect(gate.admit("b", 0)).toBe("yes");
});

test("a clock that runs backwards earns nothing", () => {
  const gate = new HandshakeGate({ burst: 1, perSecond: 1 });
  gate.admit("a", 5000);
  expect(gate.admit("a", 0)).toBe("rate");
});

test.each([
  ["10.0.0.1", "10.0.0.1"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0db8:1:2::9", "2001:db8:1:2::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("%s shares the bucket %s", (address, key) => expect(bucketKey(address)).toBe(key));
