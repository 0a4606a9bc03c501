import { expect, test } from "vitest";
import { weekOf } from "./week.ts";

const HOUR_MS = 3600_000;
const hour = (at: number, more: object) => ({ at, computing: 0, idle: 0, owner: 0, paused: 0, ...more });
/** A Monday, at noon where the test runs. */
const MONDAY = new Date(2026, 2, 2, 12).getTime();

test("hours of several weeks are averaged by day and hour; one without anything the host was offline", () => {
  const hours = [
    hour(MONDAY, { computing: HOUR_MS }),
    hour(MONDAY + 7 * 24 * HOUR_MS, { computing: HOUR_MS / 2, owner: HOUR_MS / 2 }),
  ];
  const week = weekOf(hours, MONDAY + 7 * 24 * HOUR_MS + HOUR_MS);
  expect(week[0]?.[12]).toEqual({ computing: 0.75, idle: 0, owner: 0.25, paused: 0, offline: 0, hours: 2 });
  expect(week[2]?.[3]).toEqual({ computing: 0, idle: 0, owner: 0, paused: 0, offline: 1, hours: 1 });
});

test("of the first hour and the current one only what is known counts; nothing known is nothing", () => {
  const week = weekOf([hour(MONDAY, { idle: 60_000 }), hour(MONDAY + HOUR_MS, { idle: 30_000 })], MONDAY + HOUR_MS + 60_000);
  expect(week[0]?.[12]).toMatchObject({ idle: 1, offline: 0 });
  expect(week[0]?.[13]).toMatchObject({ idle: 0.5, offline: 0.5 });
  expect(
    weekOf([], MONDAY)
      .flat()
      .every(({ hours }) => hours === 0),
  ).toBe(true);
});
