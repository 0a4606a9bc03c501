import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Decision, decide, type Memory, NO_MEMORY, type Reason, tomorrowMs } from "./decide.ts";
import { policyTables } from "./documents.ts";
import { lookAtHours, parseHours } from "./hours.ts";
import { type KeeperPorts, PolicyKeeper } from "./keeper.ts";
import { type Circumstances, type ManualPause, RULES } from "./rules.ts";
import { defaultSettings, SETTING_NAMES, SETTINGS, type SettingName, type Settings } from "./settings.ts";
import { type Moment, SIGNALS, type Signals } from "./signals.ts";
import { effective, formatOwnerFile, parseAdminPolicy, parseOwnerFile, parseSettings, RUN_NOW, restricted } from "./sources.ts";
import { decisionWords, LANGUAGES, languageOf, reasonIn, reasonWords } from "./words.ts";

const S = 1000;
/** Wednesday noon. */
const NOON = 2 * 1440 + 720;
const moment = (nowMs = 0): Moment => ({
  nowMs,
  wallMs: 1_700_000_000_000 + nowMs,
  minuteOfWeek: (NOON + nowMs / 60_000) % 10_080,
});

/** A machine with a desktop at a moment, its owner away since long before. */
const away = (more: Signals = {}): Signals => ({ desktop: true, lastInputAtMs: -3600 * S, ...more });
const first = (signals: Signals, settings: Partial<Settings> = {}, more: Partial<Circumstances> = {}): Decision =>
  decide({ signals, settings: { ...defaultSettings(), ...settings }, pause: null, moment: moment(), ...more }, {}, NO_MEMORY)
    .decision;
const codes = (decision: Decision): string[] => decision.reasons.map(({ code }) => code);

/** The policy as it decides over time. */
class Run {
  now = 0;
  signals: Signals;
  settings: Settings;
  pause: ManualPause | null = null;
  memory: Memory = NO_MEMORY;
  constructor(signals: Signals, settings: Partial<Settings> = {}) {
    this.signals = signals;
    this.settings = { ...defaultSettings(), ...settings };
  }
  look(): Decision {
    const { signals, settings, pause } = this;
    const { decision, memory } = decide({ signals, settings, pause, moment: moment(this.now) }, {}, this.memory);
    this.memory = memory;
    return decision;
  }
}

describe("modes", () => {
  test("idle: paused until the owner has not touched anything for three minutes, and it says when that is", () => {
    const run = new Run({ desktop: true, lastInputAtMs: 0 });
    expect(run.look()).toMatchObject({
      compute: false,
      reasons: [{ code: "owner-here" }],
      changesInMs: 180 * S,
      graceMs: 20 * S,
    });
    run.now = 180 * S - 1;
    expect(run.look()).toMatchObject({ compute: false, changesInMs: 1 });
    run.now = 180 * S;
    expect(run.look()).toMatchObject({ compute: true, reasons: [], changesInMs: null });
    run.signals.lastInputAtMs = run.now;
    expect(run.look().compute).toBe(false);
  });

  test("idle: behind a locked screen the owner is away as soon as input has ceased for startAfterSeconds", () => {
    const run = new Run({ desktop: true, lastInputAtMs: 0, locked: true });
    expect(run.look()).toMatchObject({ compute: false, changesInMs: 10 * S });
    run.now = 10 * S;
    expect(run.look().compute).toBe(true);
  });

  test("locked: only a locked, saved or dark screen is idle, however long the owner has been away", () => {
    expect(codes(first(away(), { mode: "locked" }))).toEqual(["not-locked"]);
    for (const signal of ["locked", "screensaver", "displayOff"] as const)
      expect(first(away({ [signal]: true }), { mode: "locked" }).compute).toBe(true);
  });

  test("always: computes beside the owner with fewer cores and less memory, and with all when the owner is away", () => {
    const here = first({ desktop: true, lastInputAtMs: -60 * S, othersCpuPercent: 90, remoteSession: true }, { mode: "always" });
    expect(here).toMatchObject({ compute: true, coresPercent: 50, memoryPercent: 25, changesInMs: 120 * S });
    expect(first(away(), { mode: "always" })).toMatchObject({ compute: true, coresPercent: 100, memoryPercent: 50 });
    expect(first(away({ otherUser: true, locked: true }), { mode: "always" })).toMatchObject({ compute: true, coresPercent: 50 });
  });

  test("never: nothing computes", () => expect(codes(first(away(), { mode: "never" }))).toEqual(["switched-off"]));

  test("auto is idle where there is a desktop or it is not known, and always where there is none", () => {
    expect(codes(first({ desktop: true }))).toEqual(["owner-unknown"]);
    expect(codes(first({}))).toEqual(["owner-unknown"]);
    expect(first({ desktop: false })).toMatchObject({ compute: true, coresPercent: 100 });
  });
});

describe("no flapping", () => {
  test("what the machine stopped starts again only after nothing has stood against it for startAfterSeconds", () => {
    const run = new Run(away({ onBattery: true }));
    expect(run.look().compute).toBe(false);
    run.signals.onBattery = false;
    expect(run.look()).toMatchObject({ reasons: [{ code: "starting" }], changesInMs: 10 * S });
    run.now = 5 * S;
    run.signals.onBattery = true;
    run.look();
    run.signals.onBattery = false;
    run.now = 14 * S;
    expect(run.look()).toMatchObject({ compute: false, changesInMs: S });
    run.now = 15 * S;
    expect(run.look().compute).toBe(true);
  });

  test("what computing itself has heated computes again only when it is some degrees below, not at the edge", () => {
    const run = new Run(away({ temperatureCelsius: 84 }));
    const after = (seconds: number, temperatureCelsius: number | undefined): string => {
      run.now += seconds * S;
      run.signals.temperatureCelsius = temperatureCelsius;
      return codes(run.look()).join();
    };
    expect(after(0, 84)).toBe("");
    expect([85, 84, 80, 79, 84].map((celsius) => after(20, celsius))).toEqual(["hot", "hot", "hot", "", ""]);
    expect([85, undefined, 84].map((celsius) => after(20, celsius))).toEqual(["hot", "", ""]);
  });

  test("locking and unlocking without input does not make it start and stop as fast", () => {
    const run = new Run({ desktop: true, lastInputAtMs: 0, locked: true });
    run.now = 60 * S;
    expect(run.look().compute).toBe(true);
    run.signals.locked = false;
    expect(run.look().compute).toBe(false);
    run.signals.locked = true;
    expect(run.look()).toMatchObject({ compute: false, changesInMs: 10 * S });
  });

  test("what a person ordered is over at once", () => {
    const run = new Run(away());
    run.look();
    run.pause = { untilMs: null, words: null };
    expect(run.look().compute).toBe(false);
    run.pause = null;
    expect(run.look().compute).toBe(true);
  });
});

describe("rules", () => {
  const CASES: readonly [Signals, Partial<Settings>, string, string][] = [
    [{ onBattery: true, batteryPercent: 43 }, {}, "on-battery", "Paused: on battery, 43 %"],
    [{ onBattery: true }, {}, "on-battery-unknown", "Paused: on battery"],
    [{ temperatureCelsius: 90.4 }, {}, "hot", "Paused: too warm, 90 °C"],
    [{ throttled: true }, {}, "throttled", "Paused: too warm, the processor slows down"],
    [{ metered: true }, {}, "metered", "Paused: on a metered network"],
    [{ linkMbps: 10 }, { linkAboveMbps: 100 }, "slow-network", "Paused: on a slow network, 10 Mbit/s"],
    [{ othersCpuPercent: 31 }, {}, "busy", "Paused: other programs are busy, 31 %"],
    [{ othersBusy: true }, {}, "busy-unmeasured", "Paused: other programs are busy"],
    [{ memoryFreePercent: 5 }, {}, "low-memory", "Paused: little memory is free, 5 %"],
    [{ diskFreeMegabytes: 12 }, {}, "low-disk", "Paused: little disk space is free, 12 MB"],
    [{ fullScreen: true }, {}, "full-screen", "Paused: something fills the screen"],
    [{ remoteSession: true }, {}, "remote-session", "Paused: somebody works here from elsewhere"],
    [{ otherUser: true, locked: true }, {}, "other-user", "Paused: somebody else uses this computer"],
    [{ otherAgent: true }, {}, "other-agent", "Paused: another user's Nightshift computes here"],
    [{ programs: ["bash", "blender"] }, { exclusivePrograms: ["Blender"] }, "exclusive-program", "Paused: Blender is running"],
    [{}, { exclusivePrograms: ["blender"] }, "programs-unknown", "Paused: cannot tell which programs are running"],
    [{ ending: true }, {}, "ending", "Paused: this computer is going to sleep or shutting down"],
    [{}, { hours: ["mon-fri 18:00-08:00"] }, "out-of-hours", "Paused: outside its hours"],
    [{ lastInputAtMs: 0 }, {}, "owner-here", "Paused: you are here"],
  ];
  test.each(CASES)("%j with %j: %s", (signals, settings, code, words) => {
    const decision = first(away(signals), settings);
    expect(codes(decision)).toEqual([code]);
    expect(decisionWords(decision)).toBe(words);
    expect(first(away(), { ...settings, hours: [], exclusivePrograms: [] })).toMatchObject({ compute: true });
  });

  test("on battery it computes above the charge that the owner has set", () => {
    const charge = (batteryPercent: number) =>
      first(away({ onBattery: true, batteryPercent }), { batteryAbovePercent: 60 }).compute;
    expect([charge(60), charge(61)]).toEqual([false, true]);
  });

  test("all reasons are told, the most telling first, and when it is for good no grace is given", () => {
    const decision = first({ desktop: true, lastInputAtMs: 0, onBattery: true, batteryPercent: 9 });
    expect(codes(decision)).toEqual(["owner-here", "on-battery"]);
    expect(first(away(), {}, { pause: { untilMs: null, words: "lunch" } })).toMatchObject({
      graceMs: 0,
      reasons: [{ code: "by-hand-words", values: { words: "lunch" } }],
    });
  });

  test("whose setting it is, if it is locked", () => {
    const at = { signals: away({ metered: true }), settings: defaultSettings(), pause: null, moment: moment() };
    const { decision } = decide(at, { onMeteredNetwork: "IT" }, NO_MEMORY);
    expect(decisionWords(decision)).toBe("Paused: on a metered network (set by IT)");
  });

  test("pauses: for a time, with the moment it ends; until tomorrow morning; until resumed", () => {
    const until = moment().wallMs + 3600 * S;
    expect(first(away(), {}, { pause: { untilMs: until, words: null } })).toMatchObject({
      compute: false,
      changesInMs: 3600 * S,
    });
    expect(first(away(), {}, { pause: { untilMs: until, words: null }, moment: moment(3600 * S) }).compute).toBe(true);
    expect(tomorrowMs(moment()) - moment().wallMs).toBe(18 * 3600 * S);
    expect(first(away(), {}, { pause: { untilMs: null, words: null } })).toMatchObject({ compute: false, changesInMs: null });
  });
});

describe("hours", () => {
  test.each([
    ["mon-fri 18:00-08:00", NOON, false, 360],
    ["mon-fri 18:00-08:00", NOON + 360, true, 14 * 60],
    ["fri-mon 00:00-24:00", 0, true, 1440],
    ["sun 22:00-06:00", 60, true, 300],
    ["sat,sun 10:00-12:00", NOON, false, 2 * 1440 + 22 * 60],
    ["mon-sun 00:00-24:00", NOON, true, null],
  ] as const)("%s at minute %i", (hours, minute, inside, changesInMinutes) => {
    expect(lookAtHours([hours], minute)).toEqual({ inside, changesInMinutes });
  });
  test.each([
    "monday 10:00-12:00",
    "mon 25:00-26:00",
    "mon 10:60-12:00",
    "mon-tue-wed 10:00-12:00",
    "mon 10-12",
    "",
    "mon- 10:00-12:00",
  ])("%j is none", (text) => expect(parseHours(text)).toBeUndefined());
  test("spans that touch are one", () => {
    expect(lookAtHours(["wed 10:00-13:00", "wed 13:00-14:00"], NOON).changesInMinutes).toBe(120);
  });
});

describe("files", () => {
  test("what the owner's file says is read back as it was written", () => {
    const settings = { mode: "locked" as const, hours: ["sat 00:00-24:00"] };
    const file = { settings, pause: { untilMs: 5, words: "tea" }, runUntilMs: null };
    expect(parseOwnerFile(formatOwnerFile(file), "x")).toEqual(file);
    expect(parseOwnerFile(formatOwnerFile({ ...file, runUntilMs: 7 }), "x").runUntilMs).toBe(7);
    expect(parseOwnerFile('{"version":1}', "x")).toEqual({ settings: {}, pause: null, runUntilMs: null });
  });

  test.each<[string, RegExp]>([
    ["{", /settings\.json is not JSON/],
    ["[]", /one JSON object/],
    ['{"settings":{}}', /version must be 1/],
    ['{"version":2}', /of a newer Nightshift/],
    ['{"version":1,"more":1}', /no "more"/],
    [
      '{"version":1,"settings":{"idleAfterSeconds":"soon"}}',
      /settings\.idleAfterSeconds must be a whole number from 1 to 86400 \(s\), not "soon"/,
    ],
    ['{"version":1,"settings":{"__proto__":{"mode":"never"}}}', /no setting "settings\.__proto__"/],
    ['{"version":1,"settings":{"hours":["noon"]}}', /settings\.hours must be a list/],
    ['{"version":1,"settings":{"mode":"sometimes","coresPercent":0}}', /mode must be one of .*; settings\.coresPercent must be/],
    ['{"version":1,"pause":{"untilMs":"x","words":null}}', /pause must be null or/],
    ['{"version":1,"runUntilMs":"now"}', /runUntilMs must be null or/],
  ])("%s is refused with what, where and what to do", (text, message) => {
    expect(() => parseOwnerFile(text, "settings.json")).toThrow(message);
    expect(() => parseOwnerFile(text, "settings.json")).toThrow(expect.objectContaining({ code: "NS_BAD_POLICY" }));
  });

  test("run now: at once, beside the owner, at any hour, with fewer cores; not where that is locked, not on battery", () => {
    const here = { ...away(), lastInputAtMs: moment().nowMs };
    const own = parseSettings({ hours: ["sun 00:00-01:00"], coresPercentPresent: 25 }, "x");
    const { settings } = effective({ ...own, ...RUN_NOW }, []);
    expect(first(here, own)).toMatchObject({ compute: false });
    expect(first(here, settings)).toMatchObject({ compute: true, coresPercent: 25 });
    expect(first({ ...here, onBattery: true, batteryPercent: 40 }, settings)).toMatchObject({ compute: false });
    const locked = parseAdminPolicy('{"version":1,"locked":{"mode":"idle"}}', "policy.json");
    expect(first(here, effective({ ...own, ...RUN_NOW }, [locked]).settings)).toMatchObject({ compute: false });
  });

  test("the administrator's: locked over the owner's, the owner's over the administrator's defaults, these over ours", () => {
    const admin = parseAdminPolicy(
      '{"version":1,"by":"IT","locked":{"mode":"locked"},"defaults":{"idleAfterSeconds":60,"graceSeconds":5}}',
      "policy.json",
    );
    const { settings, lockedBy } = effective(parseSettings({ mode: "always", graceSeconds: 7 }, "x"), [admin]);
    expect(settings).toEqual({ ...defaultSettings(), mode: "locked", idleAfterSeconds: 60, graceSeconds: 7 });
    expect(lockedBy).toEqual({ mode: "IT" });
    expect(() => parseAdminPolicy('{"version":1,"locked":{"moode":1}}', "policy.json")).toThrow(/locked\.moode/);
  });

  test("of several policies the one in front counts; what any of them locks counts before the owner's", () => {
    const policy = (by: string, locked: Partial<Settings>, defaults: Partial<Settings> = {}) => ({ by, locked, defaults });
    const policies = [
      policy("the lab", { graceSeconds: 1 }, { mode: "never", hours: ["sat,sun 00:00-24:00"] }),
      policy("IT", { graceSeconds: 2, idleAfterSeconds: 60, hours: [] }, { mode: "locked", busyAbovePercent: 5 }),
    ];
    const { settings, lockedBy } = effective({ idleAfterSeconds: 1 }, policies);
    expect(settings).toEqual({
      ...defaultSettings(),
      ...{ graceSeconds: 1, idleAfterSeconds: 60, hours: [], mode: "never", busyAbovePercent: 5 },
    });
    expect(lockedBy).toEqual({ graceSeconds: "the lab", idleAfterSeconds: "IT", hours: "IT" });
  });

  test("where the owner has the last word a policy makes it stricter, and says so, but never laxer", () => {
    const owner: Partial<Settings> = { mode: "idle", idleAfterSeconds: 60, batteryAbovePercent: 100 };
    const locked: Partial<Settings> = {
      ...{ mode: "always", idleAfterSeconds: 5, batteryAbovePercent: 0, coresPercent: 50, onMeteredNetwork: true },
      ...{ hours: ["sat,sun 00:00-24:00"], exclusivePrograms: ["blender"] },
    };
    const { settings, lockedBy } = restricted(owner, [{ by: "IT", locked, defaults: { busyAbovePercent: 3 } }]);
    expect(settings).toEqual({
      ...{ ...defaultSettings(), ...owner, coresPercent: 50, busyAbovePercent: 3 },
      ...{ hours: ["sat,sun 00:00-24:00"], exclusivePrograms: ["blender"] },
    });
    expect(lockedBy).toEqual({ coresPercent: "IT", hours: "IT", exclusivePrograms: "IT" });
    expect(restricted(owner, [{ by: "IT", locked: { mode: "never" }, defaults: {} }]).settings.mode).toBe("never");
  });

  test("every default is a value that its own check allows", () => {
    for (const name of SETTING_NAMES) expect(SETTINGS[name].check(SETTINGS[name].default), name).toBe(true);
  });
});

describe("words", () => {
  test("every language has every text with the same placeholders", () => {
    const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    for (const [language, texts] of Object.entries(LANGUAGES)) {
      expect(Object.keys(texts).sort(), language).toEqual(Object.keys(LANGUAGES.en).sort());
      for (const [code, text] of Object.entries(texts)) {
        expect(text, `${language} ${code}`).not.toBe("");
        expect(placeholders(text), `${language} ${code}`).toEqual(placeholders(LANGUAGES.en[code as "busy"]));
      }
    }
    expect(LANGUAGES["zh-CN"]["owner-here"]).toMatch(/\p{Script=Han}/u);
  });

  test("every reason's values fill its words; a pause says until when in the reader's language", () => {
    const untilMs = new Date(2026, 10, 23, 15, 30).getTime();
    const reason = { code: "by-hand-until" as const, values: { untilMs }, by: null };
    expect(reasonWords(reason)).toMatch(/^until Mon.* 0?3:30 PM$/);
    expect(reasonWords(reason, "zh-CN")).toMatch(/^直到 周一.*15:30$/);
    // Whoever got the sentence alone can say it in another language, too.
    const reasons: Pick<Reason, "code" | "values">[] = [
      { code: "owner-here", values: {} },
      { code: "on-battery", values: { percent: 43 } },
      { code: "exclusive-program", values: { program: "a (b) {c}" } },
    ];
    for (const one of reasons.flatMap((each) => [null, "IT"].map((by): Reason => ({ ...each, by })))) {
      expect(reasonIn("zh-CN", reasonWords(one), one.code)).toBe(reasonWords(one, "zh-CN"));
      expect(reasonIn("en", reasonWords(one), one.code)).toBe(reasonWords(one));
      const told = reasonWords(one, "en", "others");
      expect(told).not.toContain("a (b) {c}");
      expect(reasonIn("zh-CN", told, one.code)).toBe(reasonWords(one, "zh-CN", "others"));
    }
    expect(reasonIn("zh-CN", "as an agent of another version says it", "owner-here")).toBe(
      "as an agent of another version says it",
    );
    expect(reasonIn("zh-CN", "something else", "a-code-of-the-future")).toBe("something else");
    expect([languageOf("zh_CN.UTF-8"), languageOf("de_DE"), languageOf(undefined)]).toEqual(["zh-CN", "en", "en"]);
  });
});

describe("docs/POLICY.md", () => {
  const text = readFileSync(new URL("../../docs/POLICY.md", import.meta.url), "utf8");
  test.each(Object.entries(policyTables()))("shows the table of %s as it is", (title, table) => {
    expect(text, `docs/POLICY.md, below "## ${title}", must hold:\n${table}\n`).toContain(`## ${title}\n\n${table}\n`);
  });
  test("every signal that the rules use is in the table", () => {
    const used = RULES.map(({ look }) => look.toString()).join();
    for (const name of Object.keys(SIGNALS))
      if (name !== "desktop" && !/locked|screensaver|displayOff/.test(name)) expect(used).toContain(name);
  });
});

// ---- properties

const settingsArbitrary: fc.Arbitrary<Partial<Settings>> = fc.record(
  {
    mode: fc.constantFrom("auto", "idle", "locked", "always", "never"),
    idleAfterSeconds: fc.integer({ min: 1, max: 400 }),
    startAfterSeconds: fc.integer({ min: 0, max: 60 }),
    busyAbovePercent: fc.integer({ min: 1, max: 100 }),
    hours: fc.constantFrom([], ["wed 12:01-12:05"], ["mon-fri 18:00-12:02"]),
    exclusivePrograms: fc.constantFrom([], ["game"]),
  },
  { requiredKeys: [] },
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const signalsArbitrary: fc.Arbitrary<Signals> = fc.record(
  {
    locked: maybe(fc.boolean()),
    screensaver: maybe(fc.boolean()),
    remoteSession: maybe(fc.boolean()),
    othersCpuPercent: maybe(fc.integer({ min: 0, max: 100 })),
    onBattery: maybe(fc.boolean()),
    batteryPercent: maybe(fc.integer({ min: 0, max: 100 })),
    programs: maybe(fc.constantFrom([], ["game"])),
    fullScreen: maybe(fc.boolean()),
    desktop: maybe(fc.boolean()),
  },
  { requiredKeys: [] },
);
/** Nothing of the machine against it. */
const CLEAR: Signals = {
  remoteSession: false,
  othersCpuPercent: 0,
  onBattery: false,
  fullScreen: false,
  locked: false,
  programs: [],
};
type Step = { afterMs: number; signals: Signals; input: boolean; pause: "keep" | "hour" | "resume" };
const stepsArbitrary: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.integer({ min: 0, max: 5 * S }), fc.integer({ min: 0, max: 300 * S })),
    signals: fc.oneof(fc.constant({}), fc.constant(CLEAR), fc.constant({ ...CLEAR, locked: true }), signalsArbitrary),
    input: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    pause: fc.oneof({ weight: 8, arbitrary: fc.constant("keep" as const) }, fc.constantFrom("hour" as const, "resume" as const)),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Every step of a random history and what was decided at it. */
function* history(settings: Partial<Settings>, steps: readonly Step[]): Generator<{ run: Run; decision: Decision }> {
  const run = new Run({ desktop: true, lastInputAtMs: 0 }, settings);
  for (const step of steps) {
    run.now += step.afterMs;
    run.signals = { ...run.signals, ...step.signals, ...(step.input ? { lastInputAtMs: run.now } : {}) };
    if (step.pause === "hour") run.pause = { untilMs: moment(run.now).wallMs + 3600 * S, words: null };
    if (step.pause === "resume") run.pause = null;
    yield { run, decision: run.look() };
  }
}
const everywhere = (check: (settings: Partial<Settings>, steps: Step[]) => void): void =>
  fc.assert(fc.property(settingsArbitrary, stepsArbitrary, check), { numRuns: 400 });

describe("whatever happens", () => {
  test("in idle mode it never computes while the owner is active", () =>
    everywhere((settings, steps) => {
      for (const { run, decision } of history({ ...settings, mode: "idle" }, steps)) {
        const { startAfterSeconds, idleAfterSeconds } = run.settings;
        const { locked, screensaver, lastInputAtMs = 0 } = run.signals;
        const enough = locked || screensaver ? Math.min(startAfterSeconds, idleAfterSeconds) : idleAfterSeconds;
        if (run.now - lastInputAtMs < enough * S) expect(decision.compute).toBe(false);
      }
    }));

  test("it never starts again sooner than startAfterSeconds after the machine stopped it", () =>
    everywhere((settings, steps) => {
      let stoppedAt = Number.NEGATIVE_INFINITY;
      let computing = false;
      for (const { run, decision } of history(settings, steps)) {
        const byHand = decision.reasons.every(({ code }) => code.startsWith("by-hand") || code === "switched-off");
        if (computing && !decision.compute && !byHand) stoppedAt = run.now;
        if (!computing && decision.compute)
          expect(run.now - stoppedAt).toBeGreaterThanOrEqual(run.settings.startAfterSeconds * S);
        computing = decision.compute;
      }
    }));

  test("a pause by hand always holds until it is over", () =>
    everywhere((settings, steps) => {
      for (const { run, decision } of history(settings, steps))
        if (run.pause && (run.pause.untilMs ?? Infinity) > moment(run.now).wallMs) expect(decision.compute).toBe(false);
    }));

  test("it computes exactly when there is no reason against it", () =>
    everywhere((settings, steps) => {
      for (const { decision } of history(settings, steps)) expect(decision.compute).toBe(decision.reasons.length === 0);
    }));

  test("what is decided stands until the time that was told, if no signal changes", () =>
    fc.assert(
      fc.property(settingsArbitrary, stepsArbitrary, fc.double({ min: 0, max: 0.999, noNaN: true }), (settings, steps, part) => {
        for (const { run, decision } of history(settings, steps)) {
          const again = Object.assign(Object.create(Run.prototype) as Run, run);
          // A week when nothing changes by time alone.
          again.now = run.now + part * (decision.changesInMs ?? 7 * 86_400 * S);
          const { changesInMs: _, ...later } = again.look();
          const { changesInMs: __, ...now } = decision;
          expect(later).toEqual(now);
        }
      }),
      { numRuns: 200 },
    ));

  test("what the administrator has locked wins over whatever the owner sets", () =>
    fc.assert(
      fc.property(settingsArbitrary, settingsArbitrary, settingsArbitrary, (owner, locked, defaults) => {
        const { settings, lockedBy } = effective(owner, [{ by: "IT", locked, defaults }]);
        for (const name of Object.keys(locked) as SettingName[])
          expect([settings[name], lockedBy[name]]).toEqual([locked[name], "IT"]);
        expect(Object.keys(lockedBy)).toEqual(Object.keys(locked));
      }),
    ));
});

test("whatever a policy says, a page that would not compute as its owner has agreed does not with it", () =>
  fc.assert(
    fc.property(
      fc.record({
        mode: fc.constantFrom<"idle" | "always">("idle", "always"),
        idleAfterSeconds: fc.integer({ min: 1, max: 300 }),
      }),
      settingsArbitrary,
      settingsArbitrary,
      fc.record({ agoS: fc.integer({ min: 0, max: 400 }), onBattery: fc.boolean(), percent: fc.integer({ min: 0, max: 100 }) }),
      (owner, locked, defaults, { agoS, onBattery, percent }) => {
        const signals = { desktop: true, lastInputAtMs: -agoS * S, onBattery, batteryPercent: percent };
        const restrictedTo = restricted(owner, [{ by: "IT", locked, defaults }]).settings;
        fc.pre(!first(signals, owner).compute);
        expect(first(signals, restrictedTo).compute).toBe(false);
      },
    ),
  ));

describe("the keeper", () => {
  const setting = (settings: Partial<Settings> = {}) => effective(settings, []);
  /** Time by hand. */
  class Hand implements KeeperPorts {
    now = 0;
    timer: { at: number; work: () => void } | undefined;
    timers = 0;
    decisions: Decision[] = [];
    moment = (): Moment => moment(this.now);
    after = (ms: number, work: () => void): (() => void) => {
      this.timers++;
      this.timer = { at: this.now + ms, work };
      return () => {
        this.timer = undefined;
      };
    };
    decided = (decision: Decision): void => void this.decisions.push(decision);
    passes(ms: number): void {
      for (const end = this.now + ms; ; ) {
        const due = this.timer;
        if (!due || due.at > end) {
          this.now = end;
          return;
        }
        this.now = due.at;
        this.timer = undefined;
        due.work();
      }
    }
  }

  test("sets one timer for the next change by time, and tells only what differs", () => {
    const hand = new Hand();
    const keeper = new PolicyKeeper(hand, setting(), { desktop: true, lastInputAtMs: 0 }, null);
    keeper.look();
    hand.passes(3600 * S);
    expect(hand.decisions.map(({ compute }) => compute)).toEqual([false, true]);
    expect(hand.timers).toBe(1);
    keeper.update({ lastInputAtMs: hand.now });
    keeper.update({ othersCpuPercent: 1 });
    expect(hand.decisions).toHaveLength(3);
    keeper.setPause({ untilMs: moment(hand.now).wallMs + 3600 * S, words: null });
    hand.passes(3599 * S);
    expect(hand.decisions.at(-1)).toMatchObject({ compute: false });
    hand.passes(2 * S);
    expect(hand.decisions.at(-1)).toMatchObject({ compute: true });
    keeper.setEffective(setting({ mode: "never" }));
    expect(hand.decisions.at(-1)?.reasons[0]?.code).toBe("switched-off");
    keeper.close();
  });
});
