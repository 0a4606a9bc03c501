import { fork } from "node:child_process";
import { once } from "node:events";
import { expect, test, vi } from "vitest";
import { machineTurn, openTurn, TurnTaker } from "./turn.ts";

const address = machineTurn()?.replace("computes", `test-${process.pid}`);

test.skipIf(address === undefined)(
  "one process of the machine has the turn, and its end gives it back however it comes",
  async () => {
    const code = `import { openTurn } from ${JSON.stringify(new URL("./turn.ts", import.meta.url).href)};
    process.send(await openTurn(${JSON.stringify(address)}).take()); setInterval(() => undefined, 1000);`;
    const child = fork("--input-type=module", ["--eval", code], { execArgv: [] });
    expect(await once(child, "message")).toEqual([true, undefined]);
    const turn = openTurn(`${address}`);
    expect(await turn.take()).toBe(false);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    expect([await turn.take(), await turn.take(), await openTurn(`${address}`).take()]).toEqual([true, true, false]);
    turn.release();
    const next = openTurn(`${address}`);
    expect(await next.take()).toBe(true);
    next.release();
  },
);

test("where there is no such address everybody has the turn", async () => {
  expect(await openTurn("/no/such/folder/socket").take()).toBe(true);
});

/** Users of one machine, whoever comes first having the turn. */
function machine() {
  let holder: object | undefined;
  return (told: boolean[]) => {
    const own = {};
    return new TurnTaker(
      {
        take: async () => {
          holder ??= own;
          return holder === own;
        },
        release: () => {
          if (holder === own) holder = undefined;
        },
      },
      (others) => void told.push(others),
    );
  };
}

test("who waits has the turn some seconds after it is free; who does not want it any more hears no more of it", async () => {
  vi.useFakeTimers();
  const user = machine();
  const told: boolean[][] = [[], [], []];
  const [first, second, third] = told.map(user) as [TurnTaker, TurnTaker, TurnTaker];
  for (const one of [first, second, third]) one.want();
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual([[false], [true], [true]]);
  third.leave();
  await vi.advanceTimersByTimeAsync(6_000);
  expect([second.held, told[2]]).toEqual([false, [true, false]]);
  first.leave();
  await vi.advanceTimersByTimeAsync(5_000);
  expect([first.held, second.held, told[0], told[1]?.at(-1)]).toEqual([false, true, [false], false]);
  second.want();
  second.leave();
  expect(second.held).toBe(false);
  vi.useRealTimers();
});
