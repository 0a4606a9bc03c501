import fc from "fast-check";
import { expect, test } from "vitest";
import type { ToldSignals } from "../agent/protocol.ts";
import { COMPUTING_LOOK_MS, LOOK_MS, PowerWatch } from "./power-watch.ts";
import { VariablePort } from "./testing.ts";

function watching(computing = true) {
  const port = new VariablePort();
  const told: { at: number; signals: ToldSignals }[] = [];
  const world = { port, told, computing, inputAt: -3_600_000 };
  // As systems tell it: whole seconds since the last input.
  Object.defineProperty(port.variables, "idleSeconds", { get: () => Math.floor((port.now() - world.inputAt) / 1000) });
  const watch = new PowerWatch(
    port,
    (signals) => told.push({ at: port.now(), signals }),
    () => world.computing,
  );
  watch.start();
  return {
    ...world,
    watch,
    world,
    touch: () => {
      world.inputAt = port.now();
    },
  };
}

test("while computing, input is told within one look", () => {
  const { port, told, touch } = watching();
  port.time.pass(10_333);
  told.length = 0;
  touch();
  port.time.pass(COMPUTING_LOOK_MS);
  expect(told[0]?.signals.inputAgoMs).toBeLessThanOrEqual(1000);
  expect(told.length).toBeGreaterThan(0);
});

test("whenever there is input, it is told within a look, and never as earlier than it was", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 40 }), fc.boolean(), (gaps, computing) => {
      const { port, told, touch, world } = watching(computing);
      const look = computing ? COMPUTING_LOOK_MS : LOOK_MS;
      for (const gap of gaps) {
        port.time.pass(gap);
        const at = port.now();
        touch();
        told.length = 0;
        port.time.pass(look + 1);
        const first = told.find(({ signals }) => signals.inputAgoMs !== undefined);
        // Whole seconds hide at most one: it may be told as later than it was, as the owner's safety wants it.
        expect(first).toBeDefined();
        expect((first?.at ?? 0) - (first?.signals.inputAgoMs ?? 0)).toBeGreaterThanOrEqual(at - 1000);
        if (computing) expect((first?.at ?? 0) - (first?.signals.inputAgoMs ?? 0)).toBeGreaterThanOrEqual(at - 1);
        world.inputAt = at;
      }
    }),
    { numRuns: 100 },
  );
});

test("without input the time since the last one grows, and is told every second although nothing is new", () => {
  const { port, told } = watching(false);
  port.time.pass(60_000);
  const agos = told.map(({ signals }) => signals.inputAgoMs ?? 0);
  expect(told.length).toBeGreaterThanOrEqual(59);
  for (const [at, ago] of agos.entries()) if (at > 0) expect(ago).toBeGreaterThan(agos[at - 1] ?? 0);
});

test("paused, it looks once a second; computing, every 50 ms, from the moment it begins", () => {
  const { port, watch, world } = watching(false);
  let looks = 0;
  const idle = port.power.idleSeconds;
  port.power.idleSeconds = () => {
    looks++;
    return idle();
  };
  port.time.pass(10_000);
  expect(looks).toBe(10);
  world.computing = true;
  looks = 0;
  watch.wake();
  port.time.pass(1_000);
  expect(looks).toBe(21);
});

test("lock, unlock, sleep, power and heat are told at once; unlocking is input", () => {
  const { port, told } = watching(false);
  const last = (): ToldSignals => told.at(-1)?.signals ?? {};
  port.happen({ kind: "lock" });
  expect(last().locked).toBe(true);
  port.time.pass(300);
  port.happen({ kind: "unlock" });
  expect(last()).toMatchObject({ locked: false, inputAgoMs: 0 });
  port.happen({ kind: "suspend" });
  expect(last().ending).toBe(true);
  port.happen({ kind: "resume" });
  expect(last().ending).toBe(false);
  port.happen({ kind: "battery" });
  expect(last().onBattery).toBe(true);
  port.happen({ kind: "throttled", throttled: true });
  expect(last()).toMatchObject({ throttled: true, onBattery: true, ending: false });
});

test("Windows tells of no change to battery: it is asked every ten seconds", () => {
  const { port, told } = watching(false);
  port.variables.onBattery = true;
  port.time.pass(11_000);
  expect(told.at(-1)?.signals.onBattery).toBe(true);
});
