import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { GroupPolicy } from "./group-policy.ts";
import { parseRegistryFile } from "./registry.ts";

const MACHINE = "HKEY_LOCAL_MACHINE\\Software\\Policies\\Nightshift";
const USER = "HKEY_CURRENT_USER\\SOFTWARE\\Policies\\Nightshift";
/** As reg.exe writes it. */
const written = (keys: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(keys)
    .map(([key, values]) => `\r\n[${key}]\r\n${values.map((value) => `${value}\r\n`).join("")}`)
    .join("");
const whole = written({
  [MACHINE]: [
    '@=""',
    '"By"="信息部 \\"IT\\""',
    '"CoresPercent"=dword:00000032',
    '"onMeteredNetwork"=dword:00000001',
    '"Join"="nightshift://moon.example/#a.b"',
  ],
  [`${MACHINE}\\hours`]: Array.from({ length: 10 }, (_, at) => `"${10 - at}"="mon ${String(10 - at).padStart(2, "0")}:00-12:00"`),
  [`${MACHINE}\\exclusivePrograms`]: [],
  [`${MACHINE}\\Defaults`]: ['"graceSeconds"=dword:00000000', '"pauseInFullScreen"=dword:00000000'],
  [USER]: ['"mode"="never"'],
});

let text: string;
const read = (): ReturnType<typeof parseRegistryFile> => {
  if (text === "unreadable") throw new Error("no");
  return parseRegistryFile(text);
};
const open = (): GroupPolicy => new GroupPolicy({ now: read, later: async () => read() });
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("values of both hives are documents of administrators, the machine's first; what is no setting is left alone", () => {
  text = whole;
  expect(open().policies).toEqual([
    {
      by: '信息部 "IT"',
      locked: {
        coresPercent: 50,
        onMeteredNetwork: true,
        hours: Array.from({ length: 10 }, (_, at) => `mon ${String(at + 1).padStart(2, "0")}:00-12:00`),
      },
      defaults: { graceSeconds: 0, pauseInFullScreen: false },
    },
    { by: "your administrator", locked: { mode: "never" }, defaults: {} },
  ]);
  text = written({ [MACHINE]: ['"By"="IT"', '"Pool"="floor-2"'] });
  expect(open().policies).toEqual([]);
  expect(new GroupPolicy(null).policies).toEqual([]);
});

test.each([
  ['"coresPercent"=dword:00000000', "locked.coresPercent must be a whole number from 1 to 100 (% of the slots), not 0"],
  ['"coresPercent"="50"', 'locked.coresPercent must be a whole number from 1 to 100 (% of the slots), not "50"'],
  ['"coresPercent"=hex(b):ff,ff,ff,ff,ff,00,00,00', "(% of the slots), not 1099511627775"],
  ['"coresPercent"=hex(7):35,00,30,00,00,00,00,00', '(% of the slots), not "(REG_MULTI_SZ)"'],
  ['"coresPercent"=hex:32', '(% of the slots), not "(REG_BINARY)"'],
  ['"mode"=hex(2):6e,00,6f,00,\\\r\n  77,00,00,00', 'locked.mode must be one of auto, idle, locked, always, never, not "now"'],
  ['"By"=dword:00000001\r\n"mode"="idle"', "by must be a text of at most 200 characters"],
  ['"onMeteredNetwork"=dword:00000002', "locked.onMeteredNetwork must be true or false, not 2"],
  ['"hours"="mon 08:00-09:00"', "locked.hours must be a list of at most 100 hours"],
])("with %s the agent does not start, and it is told why", (value, why) => {
  text = written({ [MACHINE]: [value] });
  expect(open).toThrow(
    expect.objectContaining({
      code: "NS_BAD_POLICY",
      message: expect.stringContaining(why),
    }),
  );
});

test("nor does it start where the registry cannot be read", () => {
  text = "unreadable";
  expect(open).toThrow(expect.objectContaining({ code: "NS_BAD_POLICY" }));
});

test("what changes counts within a minute; of a hive that goes bad what was before, and it is told once, until it is mended", async () => {
  text = whole;
  const policy = open();
  const told: (string | null)[] = [];
  policy.watch(() => told.push(policy.problem));
  const minutes = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 60_000);
  const modes = (): unknown[] => policy.policies.map(({ locked }) => locked.mode);
  await minutes(2);
  expect(told).toEqual([]);
  text = written({ [USER]: ['"mode"="always"'] });
  await minutes(1);
  expect([told, modes()]).toEqual([[null], ["always"]]);
  text = written({ [MACHINE]: ['"mode"="idle"'], [USER]: ['"mode"="sometimes"'] });
  await minutes(2);
  expect([told.length, modes()]).toEqual([2, ["idle", "always"]]);
  expect(told[1]).toMatch(/HKCU.*locked\.mode must be one of auto/);
  text = "unreadable";
  await minutes(2);
  expect([told.slice(2), modes()]).toEqual([["group policy cannot be read: no"], ["idle", "always"]]);
  text = "";
  await minutes(1);
  expect([told.slice(3), modes()]).toEqual([[null], []]);
  policy.close();
  text = whole;
  await minutes(2);
  expect(modes()).toEqual([]);
});
