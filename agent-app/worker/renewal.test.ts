import { requestStop } from "@nightshift/wasm-kernels/process";
import { expect, test } from "vitest";
import { isDue, Renewer, renewalBy, TICK_MS } from "./renewal.ts";

const SECONDS = 1000 / TICK_MS;
const flagOf = (control: SharedArrayBuffer): number => new Int32Array(control)[0] ?? -1;

test("a process is renewed after 50, 150, 500 and 1500 ms of computing, and then every 2 s", () => {
  const due = Array.from({ length: 8 * SECONDS }, (_, at) => at + 1).filter(isDue);
  expect(due.map((ticks) => ticks * TICK_MS)).toEqual([50, 150, 500, 1500, 2000, 4000, 6000, 8000]);
});

test("only the time in which it computes counts, and only who computes is renewed", () => {
  const renewer = new Renewer();
  const renewal = renewalBy({ postMessage: (message) => renewer.told(message) });
  const [a, b] = [new SharedArrayBuffer(4), new SharedArrayBuffer(4)];
  renewal.entered("a", a);
  renewal.entered("b", b);
  renewer.tick();
  expect([flagOf(a), flagOf(b)]).toEqual([0, 0]);
  renewal.computing("b");
  renewer.tick();
  renewal.computing(undefined);
  expect([flagOf(a), flagOf(b)]).toEqual([0, 2]);
  new Int32Array(b)[0] = 0;
  for (let tick = 0; tick < 100; tick++) renewer.tick();
  renewal.computing("a");
  requestStop(a);
  renewer.tick();
  expect([flagOf(a), flagOf(b)]).toEqual([1, 0]); // a stop stays one
  new Int32Array(a)[0] = 0;
  renewal.left("a");
  for (let tick = 0; tick < 100; tick++) renewer.tick();
  expect(flagOf(a)).toBe(0);
});
