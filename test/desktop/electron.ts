// `npm run test:electron`: the built app in a real Electron, driven by Playwright, where there is a binary: a folder named by
// ELECTRON_OVERRIDE_DIST_PATH, or the one that the package electron has downloaded. Without, it says so and does nothing.
import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUILT, buildDesktop } from "@nightshift/agent-app/desktop/testing";
import { _electron } from "playwright-core";
import { Cluster, until } from "../cluster.ts";

const PACKAGE = fileURLToPath(new URL("../../node_modules/electron/", import.meta.url));
const NAMES: Partial<Record<NodeJS.Platform, string>> = {
  win32: "electron.exe",
  darwin: "Electron.app/Contents/MacOS/Electron",
};

const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(PACKAGE, "dist");
const binary = join(folder, NAMES[process.platform] ?? "electron");
if (existsSync(binary)) await drive();
else
  console.log(
    `SKIPPED, the app in Electron itself: no binary at ${binary}; set ELECTRON_OVERRIDE_DIST_PATH to a folder that has one`,
  );

async function drive(): Promise<void> {
  await buildDesktop();
  const home = mkdtempSync(join(tmpdir(), "electron-"));
  await using cluster = await Cluster.start();
  const app = await _electron.launch({
    executablePath: binary,
    args: [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), BUILT],
    env: { ...(process.env as Record<string, string>), NIGHTSHIFT_HOME: home },
  });
  try {
    const window = await app.firstWindow();
    await window.getByLabel("Join link").fill(cluster.hostLink);
    await window.locator("button.primary").click();
    await window.locator(".whom").waitFor();
    await window.locator("button.primary").click();
    await until("the host has come", async () => (await cluster.client.request("hosts", {})).length === 1);
    assert.equal(await window.evaluate(() => typeof (globalThis as { require?: unknown }).require), "undefined");
    assert.match(window.url(), /^app:\/\/nightshift\/index\.html/);
    const denied = await window.evaluate(() => fetch("https://127.0.0.1/").then(String, () => "refused"));
    assert.equal(denied, "refused");
    // The device's key is sealed, or there is no safe storage here.
    const [host] = await cluster.client.request("hosts", {});
    const kept = join(home, "agents", host?.name ?? "", "desktop.json");
    assert.equal(JSON.parse(readFileSync(kept, "utf8")).coordinator.token, null);
    // A second one hands over and ends.
    const second = await _electron
      .launch({
        executablePath: binary,
        args: [BUILT],
        env: { ...(process.env as Record<string, string>), NIGHTSHIFT_HOME: home },
      })
      .catch(() => undefined);
    await second?.close();
    console.log("the app in Electron: joins, keeps no token, reaches nothing else");
  } finally {
    await app.close();
    rmSync(home, { recursive: true, force: true });
  }
}
