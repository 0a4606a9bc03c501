// Figures of the bundled programs that do not fork, in Chromium and on Node: how much of the optimising compiler's speed a page gets. Rounds
// take turns; medians. Needs a checkout with its development dependencies, and a Chromium.
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
  version: string;
  optimised: number | null;
  plain: number | null;
  migratable: number | null;
  renewed: number | null;
}

export interface BrowserFigures extends BrowserTimes {
  name: string;
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
async function measureKernel({ name, plain, migratable, args }: Kernel, rounds: number): Promise<BrowserFigures> {
  const browser: BrowserTimes[] = [];
  const node: KernelTimes[] = [];
  const task: KernelTask = { plain, migratable, native: null, args, rounds: 1 };
  for (let round = 0; round < rounds; round++) {
    browser.push(await json<BrowserTimes>(null, [BROWSER_RUNNER, plain, migratable, ...args]));
    node.push(await json<KernelTimes>(null, [runner("kernel-runner"), JSON.stringify(task)]));
  }
  const of = (way: "optimised" | "plain" | "migratable" | "renewed"): number | null => {
    const all = browser.flatMap((times) => times[way] ?? []);
    return all.length < rounds ? null : median(all);
  };
  const [optimised, renewed] = [of("optimised"), of("renewed")];
  return {
    ...{ name, version: browser[0]?.version ?? "", optimised, plain: of("plain"), migratable: of("migratable"), renewed },
    nodePlain: median(node.flatMap((times) => times.plain)),
    nodeMigratable: median(node.flatMap((times) => times.migratable)),
    renewedOverOptimised: optimised === null || renewed === null ? null : renewed / optimised,
  };
}
