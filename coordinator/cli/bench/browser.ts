// Figures of the bundled programs that do not fork, in browsers and on Node: how much of the optimising compiler's speed a page of Chromium gets, and how
// much of the headless agent's throughput a tab of each browser has once it is warm. Rounds take turns; medians. Needs a checkout with its
// development dependencies, and a Chromium; other browsers when they are there.
import { fileURLToPath } from "node:url";
import { median } from "../../server/experiment-figures.ts";
import type { KernelTask, KernelTimes } from "./kernel-runner.ts";
import { forEachKernel, json, type Kernel, type KernelOptions, runner } from "./kernels.ts";

const BROWSER_RUNNER = fileURLToPath(new URL("../../../test/browser/kernel-runner.ts", import.meta.url));

/**
 * What the runner prints: seconds of the plain module compiled by the optimising compiler alone, and of three ways a page has; null where the
 * stack of a browser's worker is too small for the program.
 */
interface BrowserTimes {
  /** By browser, Chromium first: of the program's second process in the same thread. */
  warm: Record<string, { version: string; seconds: number | null }>;
  optimised: number | null;
  plain: number | null;
  migratable: number | null;
  renewed: number | null;
}

export interface BrowserFigures extends Omit<BrowserTimes, "warm"> {
  name: string;
  /** By browser; `throughput` is what it has of the headless agent's, nodeMigratable / seconds. */
  warm: Record<string, { version: string; seconds: number | null; throughput: number | null }>;
  /** Seconds on Node, all by the optimising compiler. */
  nodePlain: number;
  nodeMigratable: number;
  /** renewed / optimised. */
  renewedOverOptimised: number | null;
}

type BrowserOptions = Pick<KernelOptions, "rounds" | "quick" | "progress">;

export const measureInBrowser = (options: BrowserOptions): Promise<BrowserFigures[]> =>
  forEachKernel(options, (kernel) => measureKernel(kernel, options.rounds));

/** Not confined to one core: browsers compile in the background. */
async function measureKernel({ name, plain, migratable, args, input }: Kernel, rounds: number): Promise<BrowserFigures> {
  const browser: BrowserTimes[] = [];
  const node: KernelTimes[] = [];
  const task: KernelTask = { plain, migratable, native: null, args, input, rounds: 1 };
  for (let round = 0; round < rounds; round++) {
    browser.push(await json<BrowserTimes>(null, [BROWSER_RUNNER, plain, migratable, ...args]));
    node.push(await json<KernelTimes>(null, [runner("kernel-runner"), JSON.stringify(task)]));
  }
  const all = (time: (times: BrowserTimes) => number | null | undefined): number | null => {
    const seconds = browser.flatMap((times) => time(times) ?? []);
    return seconds.length < rounds ? null : median(seconds);
  };
  const of = (way: "optimised" | "plain" | "migratable" | "renewed"): number | null => all((times) => times[way]);
  const [optimised, renewed] = [of("optimised"), of("renewed")];
  const nodeMigratable = median(node.flatMap((times) => times.migratable));
  const warm: BrowserFigures["warm"] = {};
  for (const [engine, { version }] of Object.entries(browser[0]?.warm ?? {})) {
    const seconds = all((times) => times.warm[engine]?.seconds);
    warm[engine] = { version, seconds, throughput: seconds === null ? null : nodeMigratable / seconds };
  }
  return {
    ...{ name, optimised, plain: of("plain"), migratable: of("migratable"), renewed, warm },
    nodePlain: median(node.flatMap((times) => times.plain)),
    nodeMigratable,
    renewedOverOptimised: optimised === null || renewed === null ? null : renewed / optimised,
  };
}
