import { requestStop } from "@nightshift/wasm-kernels/process";
import { expect, test } from "vitest";
import { isDue, Renewer, renewalBy, TICK_MS } from "./renewal.ts";

const SECONDS = 1000 / TICK_MS;
const flagOf = (control: SharedArrayBuffer): number => new Int32Array(control)[0] ?? -1;

test("a process is renewed often in its first 1.5 s of computing, beginning after 50 ms, and then every second", () => {
  const due = Array.from({ length: 5 * SECONDS }, (_, at) => at + 1).filter(isDue);
  const times = due.map((ticks) => ticks * TICK_MS);
  expect(times).toEqual([50, 100, 150, 200, 300, 400, 500, 650, 800, 1000, 1250, 1500, 2000, 3000, 4000, 5000]);
});

test("only the time in which it computes counts, and only who computes is renewed", () => {
  const renewer = new Renewer();
  const renewal = renewalBy({ postMessage: (message) => renewer.told(message) });
  const [a, b] = [new SharedArrayBuffer(4), new SharedArrayBuffer(4)];
  renewal.entered(1, a);
  renewal.entered(2, b);
  renewer.tick();
  expect([flagOf(a), flagOf(b)]).toEqual([0, 0]);
  renewal.computing(2);
  renewer.tick();
  renewal.computing(undefined);
  expect([flagOf(a), flagOf(b)]).toEqual([0, 2]);
  new Int32Array(b)[0] = 0;
  for (let tick = 0; tick < 100; tick++) renewer.tick();
  renewal.computing(1);
  requestStop(a);
  renewer.tick();
  expect([flagOf(a), flagOf(b)]).toEqual([1, 0]); // a stop stays one
  new Int32Array(a)[0] = 0;
  renewal.left(1);
  for (let tick = 0; tick < 100; tick++) renewer.tick();
  expect(flagOf(a)).toBe(0);
});
