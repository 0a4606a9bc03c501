import { describe, expect, test } from "vitest";
import { type Contender, Slots } from "./slots.ts";

class Someone implements Contender {
  slot = -1;
  readonly home: number;
  constructor(home = 0) {
    this.home = home;
  }
  granted(slot: number): void {
    this.slot = slot;
  }
  evictions: number[] = [];
  evicted(deadlineMs: number): void {
    this.evictions.push(deadlineMs);
  }
}

describe("slots", () => {
  test("as many compute as there are slots; the next one when somebody leaves", () => {
    const slots = new Slots(1);
    const [a, b] = [new Someone(), new Someone()];
    slots.ask(a);
    slots.ask(b);
    expect([a.slot, b.slot]).toEqual([0, -1]);
    expect(slots.contended).toBe(true);
    slots.leave(a);
    expect(b.slot).toBe(0);
  });

  test("who asks again goes to the end of the queue", () => {
    const slots = new Slots(1);
    const [a, b, c] = [new Someone(), new Someone(), new Someone()];
    for (const someone of [a, b, c]) slots.ask(someone);
    slots.leave(a);
    a.slot = -1;
    slots.ask(a);
    slots.leave(b);
    expect([a.slot, c.slot]).toEqual([-1, 0]);
  });

  test("a process computes in its own slot, and in another only when its own is taken", () => {
    const slots = new Slots(2);
    const [a, b, c] = [new Someone(0), new Someone(0), new Someone(1)];
    slots.ask(a);
    slots.ask(b);
    expect([a.slot, b.slot]).toEqual([0, 1]);
    slots.ask(c);
    slots.leave(a);
    expect(c.slot).toBe(0);
  });

  test("a closed host grants nothing until it is open again", () => {
    const slots = new Slots(1);
    const a = new Someone();
    slots.setLimit(0, 5);
    slots.ask(a);
    expect(a.slot).toBe(-1);
    slots.setLimit(1, 5);
    expect(a.slot).toBe(0);
  });

  test("who is in a slot beyond the limit must leave it, and goes on in one below when there is room", () => {
    const slots = new Slots(2);
    const [a, b] = [new Someone(0), new Someone(1)];
    slots.ask(a);
    slots.ask(b);
    slots.setLimit(1, 7);
    expect([a.evictions, b.evictions]).toEqual([[], [7]]);
    slots.leave(b);
    b.slot = -1;
    slots.ask(b);
    expect(b.slot).toBe(-1);
    slots.leave(a);
    expect(b.slot).toBe(0);
  });
});
