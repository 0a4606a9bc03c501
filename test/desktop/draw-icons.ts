// Draws the tray's moons and the join page's icon from their SVGs into the PNGs beside them, with an installed Chromium: `node test/desktop/draw-icons.ts`. For macOS also in
// black, as the system colours such images itself.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { findChromium } from "../browser/chromium.ts";

const ICONS = fileURLToPath(new URL("../../agent-app/desktop/icons/", import.meta.url));
const PAGE = fileURLToPath(new URL("../../agent-app/browser/page/public/", import.meta.url));
/** What iOS and installed apps want. */
const PAGE_SIZES = [180, 192, 512];
const SIZE = 16;
/** Of the app itself, where packages want one large picture. */
const APP_SIZE = 512;

await using browser = await chromium.launch({ executablePath: findChromium() ?? "", args: ["--no-sandbox"] });
for (const name of readdirSync(ICONS).filter((file) => file.endsWith(".svg"))) {
  const svg = readFileSync(join(ICONS, name), "utf8");
  for (const [suffix, source] of [
    ["", svg],
    ["Template", svg.replaceAll(/#[0-9a-f]{6}/g, "#000000")],
  ] as const)
    for (const [density, ending] of [
      [1, ""],
      [2, "@2x"],
    ] as const) {
      await using context = await browser.newContext({
        deviceScaleFactor: density,
        viewport: { width: SIZE, height: SIZE },
      });
      const page = await context.newPage();
      await page.setContent(`<style>body{margin:0}svg{display:block;width:${SIZE}px;height:${SIZE}px}</style>${source}`);
      const bytes = await page.screenshot({ omitBackground: true });
      writeFileSync(join(ICONS, `${name.replace(/\.svg$/, "")}${suffix}${ending}.png`), bytes);
    }
}

/** A square of so many pixels. */
async function drawn(svg: string, size: number): Promise<Buffer> {
  await using context = await browser.newContext({ viewport: { width: size, height: size } });
  const page = await context.newPage();
  await page.setContent(`<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`);
  return await page.screenshot({ omitBackground: true });
}
writeFileSync(join(ICONS, "app.png"), await drawn(readFileSync(join(ICONS, "computing.svg"), "utf8"), APP_SIZE));
const icon = readFileSync(join(PAGE, "icon.svg"), "utf8");
for (const size of PAGE_SIZES) writeFileSync(join(PAGE, `icon-${size}.png`), await drawn(icon, size));
