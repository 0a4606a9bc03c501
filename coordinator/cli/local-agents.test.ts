import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { spawnAgent } from "./local-agents.ts";

test.skipIf(process.platform !== "linux")(
  "an agent's join link is on no command line, which everybody on this computer can read",
  async () => {
    const link = `nightshift://127.0.0.1:1/#${"A".repeat(43)}.${"A".repeat(43)}`;
    const home = mkdtempSync(join(tmpdir(), "ns-home-"));
    const agent = spawnAgent({ link, home, name: "amun", signals: false, json: true }, ["ignore", "pipe", "inherit"]);
    try {
      let said = "";
      agent.stdout?.on("data", (part) => (said += part));
      while (!said.includes("NS_UNREACHABLE")) await once(agent.stdout ?? agent, "data"); // it has the link, and nobody is there
      const shown = readFileSync(`/proc/${agent.pid}/cmdline`, "utf8");
      expect(shown).toContain("amun");
      expect(shown).not.toContain("AAAA");
    } finally {
      agent.kill("SIGKILL");
    }
  },
);
