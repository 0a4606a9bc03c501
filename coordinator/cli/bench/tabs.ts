// How long processes in tabs of the browsers that there are take to stop. Needs a checkout with its development dependencies.
import { fileURLToPath } from "node:url";
import { median } from "../../server/experiment-figures.ts";
import { percentile } from "../experiment-figures.ts";
import { forEachKernel, json, type KernelOptions } from "./kernels.ts";
import type { Spread } from "./owner.ts";

const STOPS_RUNNER = fileURLToPath(new URL("../../../test/browser/stops-runner.ts", import.meta.url));
/** A loop that counts, deep recursion, and much of the C library. */
const CHOSEN = ["longloop", "fibonacci", "wordcount"];

/** As the runner prints it. */
interface TabStops {
  browser: string;
  version: string;
  isolated: boolean;
  latencyMs: number[];
}

export interface TabFigures extends Omit<TabStops, "latencyMs">, Spread {
  samples: number;
}

/** Of each browser, isolated or not, all programs together. */
export async function measureTabs(
  options: Pick<KernelOptions, "quick" | "progress"> & { samples: number },
): Promise<TabFigures[]> {
  const measured = await forEachKernel(
    options,
    ({ migratable, args }) => json<TabStops[]>(null, [STOPS_RUNNER, migratable, String(options.samples), ...args]),
    ({ name }) => CHOSEN.includes(name),
  );
  return (measured[0] ?? []).map(({ browser, version, isolated }) => {
    const same = measured.flat().filter((one) => one.browser === browser && one.isolated === isolated);
    const all = same.flatMap(({ latencyMs }) => latencyMs);
    return {
      browser,
      version,
      isolated,
      samples: all.length,
      median: median(all),
      p99: percentile(all, 0.99),
      max: Math.max(...all),
    };
  });
}
