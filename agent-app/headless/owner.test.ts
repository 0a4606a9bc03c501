// Owners of one machine between whom its cores are shared; what they decide for themselves is the policy's, and tested there.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Agent } from "../agent/index.ts";
import type { Signals } from "../policy/index.ts";
import { Owner } from "./owner.ts";
import type { Turn } from "./turn.ts";

const folder = mkdtempSync(join(tmpdir(), "ns-owner-"));
const policyFile = join(folder, "policy.json");
writeFileSync(policyFile, JSON.stringify({ version: 1, locked: { startAfterSeconds: 0 } }));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** An app of one user, whose desktop nobody has touched for long. */
function user(name: string, turn: Turn) {
  const seen = { computes: true, code: "", shows: true, update: (_: Signals): void => undefined };
  const agent = {
    onPolicies: () => undefined,
    allow: () => undefined,
    showWork: (on: boolean) => void Object.assign(seen, { shows: on }),
    status: () => ({ processes: [] }),
    pause: (_words: string, _graceMs: number, code: string) => void Object.assign(seen, { computes: false, code }),
    resume: () => void Object.assign(seen, { computes: true, code: "" }),
  } as unknown as Agent;
  const owner = new Owner(agent, {
    ...{ directory: join(folder, name), slots: 4, policyFile, mode: undefined, installedMode: "idle" },
    ...{ sense: true, turn, log: () => undefined },
    open: (watch) => {
      seen.update = watch.update;
      watch.update({ lastInputAtMs: performance.now() - 3_600_000 });
      return { close: () => undefined };
    },
  });
  owner.start();
  return { seen, owner };
}

test("of several users' apps one computes, the next when it no longer does, and none before it is certain", async () => {
  let holder: object | undefined;
  const turn = (): Turn => {
    const own = {};
    return {
      take: async () => {
        holder ??= own;
        return holder === own;
      },
      release: () => {
        if (holder === own) holder = undefined;
      },
    };
  };
  const [first, second] = [user("first", turn()), user("second", turn())];
  expect([first.seen.computes, second.seen.computes]).toEqual([false, false]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect([first.seen, second.seen]).toMatchObject([{ computes: true }, { computes: false, code: "other-agent" }]);
  expect(second.owner.status().words).toBe("Paused: another user's Nightshift computes here");
  // The first one's user is back; the second desktop is still in the background, and left alone.
  first.seen.update({ lastInputAtMs: performance.now() });
  second.seen.update({ otherUser: true });
  await vi.advanceTimersByTimeAsync(30_000);
  expect([first.seen, second.seen]).toMatchObject([{ code: "owner-here" }, { code: "other-user" }]);
  second.seen.update({ otherUser: false });
  await vi.advanceTimersByTimeAsync(30_000);
  expect([first.seen.computes, second.seen.computes]).toEqual([false, true]);
  second.owner.close();
  await vi.advanceTimersByTimeAsync(300_000);
  expect(first.seen.computes).toBe(true);
  first.owner.close();
});

test("whether work is shown follows the settings: also when they change", () => {
  const alone: Turn = { take: async () => true, release: () => undefined };
  mkdirSync(join(folder, "shy"), { recursive: true });
  const { owner, seen } = user("shy", alone);
  expect(seen.shows).toBe(true);
  owner.set({ showWork: false });
  expect(seen.shows).toBe(false);
  owner.set({ showWork: true });
  expect(seen.shows).toBe(true);
  owner.close();
});
