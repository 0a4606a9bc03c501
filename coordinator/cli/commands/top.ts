// `nightshift top`: the cluster, live. Draws on the alternate screen and leaves the terminal as it was.
import type { Command } from "commander";
import type { RpcClient } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { openClient, resolveTarget } from "../connect.ts";
import { ExitWith } from "../outcome.ts";
import { parseDurationMs } from "../quantities.ts";
import { Session } from "../session.ts";
import { paintFor, printJson, write } from "../terminal.ts";
import { renderTop, type Scene } from "../top-frame.ts";
import { allProcesses } from "./ps.ts";

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";
const GIVE_UP_MS = 24 * 3600_000;
const CTRL_C = "\x03";

export function topCommand(): Command {
  return declare({
    usage: "top",
    description: "watch the cluster: a bar per host, then the processes; q or Ctrl-C leaves",
    examples: ["nightshift top", "nightshift top --once"],
    notes: "In a bar, full blocks are slots that compute, shaded ones processes that are ready and wait for a slot.",
    json: "one frame: {hosts, processes}, as `hosts` and `ps` print them",
  })
    .option("--once", "print one frame and leave")
    .option("-i, --interval <duration>", "time between two frames", "1s")
    .action(async (options: CommonOptions & { once?: boolean; interval: string }) => {
      const intervalMs = Math.max(100, parseDurationMs(options.interval));
      const target = await resolveTarget(options.coordinator);
      const address = `${target.host}:${target.port}`;
      let lost = "";
      const session = new Session({
        connect: async () => openClient(await resolveTarget(options.coordinator)),
        giveUpMs: GIVE_UP_MS,
        onChange: (state) => {
          lost = state === "lost" ? " (connection lost)" : "";
        },
      });
      await session.open();
      const paint = paintFor(process.stdout);
      const frame = async (): Promise<Scene> => ({ address: address + lost, ...(await session.run(look)), now: Date.now() });
      try {
        const first = await frame();
        if (options.json) return await printJson({ hosts: first.hosts, processes: first.processes });
        if (options.once || !process.stdout.isTTY) {
          const lines = renderTop(first, { columns: process.stdout.columns ?? 120, rows: Number.POSITIVE_INFINITY }, paint);
          return await write(process.stdout, `${lines.join("\n")}\n`);
        }
        await live(frame, first, intervalMs, () => lost !== "");
      } finally {
        session.close();
      }
    });

  async function live(frame: () => Promise<Scene>, first: Scene, intervalMs: number, isLost: () => boolean): Promise<void> {
    const paint = paintFor(process.stdout);
    const left = Promise.withResolvers<void>();
    let scene = first;
    const draw = (): void => {
      const lines = renderTop(scene, { columns: process.stdout.columns, rows: process.stdout.rows - 1 }, paint);
      const notice = isLost() ? paint.yellow("waiting for the coordinator") : paint.dim("q: leave");
      process.stdout.write(`${HOME}${lines.map((line) => line + CLEAR_LINE).join("\n")}\n${notice}${CLEAR_LINE}${CLEAR_BELOW}`);
    };
    process.stdout.write(ENTER);
    const restore = (): void => void process.stdout.write(LEAVE);
    process.once("exit", restore);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => left.resolve());
    process.stdout.on("resize", draw);
    if (process.stdin.isTTY) {
      process.stdin.setRawMode(true);
      process.stdin.on("data", (keys) => {
        if (/[qQ]/.test(String(keys)) || String(keys).includes(CTRL_C)) left.resolve();
      });
    }
    let over = false;
    const looking = (async (): Promise<void> => {
      while (!over) {
        draw();
        await Promise.race([left.promise, new Promise((resolve) => setTimeout(resolve, intervalMs))]);
        if (!over) scene = await frame();
      }
    })();
    const failed = looking.then(() => undefined);
    await Promise.race([left.promise, failed]).finally(() => {
      over = true;
      if (process.stdin.isTTY) process.stdin.setRawMode(false);
    });
    looking.catch(() => undefined);
    throw new ExitWith(0);
  }
}

async function look(client: RpcClient): Promise<Pick<Scene, "hosts" | "processes">> {
  const [hosts, processes] = await Promise.all([client.request("hosts", {}), allProcesses(client, null, false)]);
  return { hosts, processes };
}
