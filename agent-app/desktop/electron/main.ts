// The one file of the main process that knows Electron: implements the app's port with it and starts the app. No decision is made here;
// what windows may do is main/window-rules.ts, what they may ask ipc/requests.ts.
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism, homedir, hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import {
  app,
  BrowserWindow,
  ipcMain,
  Menu,
  Notification,
  nativeImage,
  powerMonitor,
  protocol,
  safeStorage,
  screen,
  session,
  Tray,
  utilityProcess,
} from "electron";
import { readTold } from "../../headless/install-file.ts";
import { chooseScreensaver, type Installed } from "../../headless/installed.ts";
import { machineTurn } from "../../headless/turn.ts";
import type { FromAgentProcess } from "../agent/protocol.ts";
import { REQUEST_CHANNEL, STATE_CHANNEL } from "../ipc/bridge.ts";
import { answerRequest } from "../main/answering.ts";
import { App } from "../main/app.ts";
import { parseCommandLine } from "../main/command-line.ts";
import type { DesktopPort, PowerEvent, PowerPort, TrayPort, WindowKind, WindowsPort } from "../main/port.ts";
import { readUnpacked } from "../main/portable.ts";
import { replacing } from "../main/replacing.ts";
import { fileFor, HEADERS, ORIGIN, SCHEME, WEB_PREFERENCES } from "../main/window-rules.ts";

/** Where the build put everything. */
const BUILT = import.meta.dirname;
const NIGHT = "#0b1026";

protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }]);
app.enableSandbox();

function powerPort(): PowerPort {
  return {
    idleSeconds: () => powerMonitor.getSystemIdleTime(),
    onBattery: () => powerMonitor.isOnBatteryPower(),
    listen: (tell) => {
      const on = (kind: Exclude<PowerEvent["kind"], "shutdown" | "throttled">) => (): void => tell({ kind });
      powerMonitor.on("lock-screen", on("lock"));
      powerMonitor.on("unlock-screen", on("unlock"));
      powerMonitor.on("suspend", on("suspend"));
      powerMonitor.on("resume", on("resume"));
      powerMonitor.on("on-battery", on("battery"));
      powerMonitor.on("on-ac", on("mains"));
      powerMonitor.on("speed-limit-change", ({ limit }) => tell({ kind: "throttled", throttled: limit < 100 }));
      powerMonitor.on("thermal-state-change", ({ state }) =>
        tell({ kind: "throttled", throttled: state === "serious" || state === "critical" }),
      );
      powerMonitor.on("shutdown", (event?: { preventDefault(): void }) =>
        tell({
          kind: "shutdown",
          hold: () => {
            event?.preventDefault();
            return () => app.quit();
          },
        }),
      );
      if (process.platform !== "win32") return;
      // Windows tells only windows that the session ends; this one is never shown and has no page.
      const listener = new BrowserWindow({ show: false, skipTaskbar: true, webPreferences: { ...WEB_PREFERENCES } });
      listener.on("session-end", () => tell({ kind: "shutdown", hold: () => () => undefined }));
    },
  };
}

function trayPort(): TrayPort {
  let tray: Tray | undefined;
  let opened: () => void = () => undefined;
  return {
    show: (icon, tooltip, menu, onOpened) => {
      opened = onOpened;
      // A template image on macOS, where the system colours it.
      const file = process.platform === "darwin" ? `${icon}Template.png` : `${icon}.png`;
      const image = nativeImage.createFromPath(join(BUILT, "icons", file));
      if (!tray) {
        tray = new Tray(image);
        tray.on("click", () => opened());
      }
      tray.setImage(image);
      tray.setToolTip(tooltip);
      tray.setContextMenu(
        Menu.buildFromTemplate(
          menu.map(({ label, action }) =>
            label === null
              ? { type: "separator" }
              : { label: label.replaceAll("&", "&&"), enabled: action !== undefined, ...(action ? { click: action } : {}) },
          ),
        ),
      );
    },
  };
}

function windowsPort(): WindowsPort {
  const windows: Record<WindowKind, BrowserWindow[]> = { main: [], screensaver: [] };
  const add = (kind: WindowKind, file: string, options: Electron.BrowserWindowConstructorOptions): BrowserWindow => {
    const window = new BrowserWindow({
      backgroundColor: NIGHT,
      show: false,
      ...options,
      webPreferences: { ...WEB_PREFERENCES, preload: join(BUILT, "preload.cjs") },
    });
    windows[kind].push(window);
    window.once("ready-to-show", () => window.show());
    window.once("closed", () => {
      windows[kind] = windows[kind].filter((other) => other !== window);
    });
    window.removeMenu();
    void window.loadURL(`${ORIGIN}/${file}`);
    return window;
  };
  /** By display. */
  const covers = new Map<number, BrowserWindow>();
  const cover = ({ id, bounds }: Electron.Display): void => {
    const options = { ...bounds, frame: false, fullscreen: true, alwaysOnTop: true, skipTaskbar: true, kiosk: true };
    covers.set(
      id,
      add("screensaver", "screensaver.html", options).once("closed", () => covers.delete(id)),
    );
  };
  let watched = false;
  /** While the screensaver is shown a display may come, go and change. */
  const watchDisplays = (): void => {
    if (watched) return; // `screen` is there only once the app is ready
    watched = true;
    screen.on("display-added", (_event, display) => {
      if (windows.screensaver.length > 0 && !covers.has(display.id)) cover(display);
    });
    screen.on("display-removed", (_event, { id }) => covers.get(id)?.destroy());
    screen.on("display-metrics-changed", (_event, { id, bounds }) => covers.get(id)?.setBounds(bounds));
  };
  return {
    open: (kind, page) => {
      const hash = page === null ? "" : `#${page}`;
      if (kind === "screensaver") {
        if (windows.screensaver.length > 0) return;
        for (const display of screen.getAllDisplays()) cover(display);
        watchDisplays();
        return;
      }
      const [window] = windows.main;
      if (!window) {
        add("main", `index.html${hash}`, { width: 960, height: 720, minWidth: 380, minHeight: 400, title: "Nightshift" });
        return;
      }
      if (page !== null) void window.loadURL(`${ORIGIN}/index.html${hash}`);
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
    },
    close: (kind) => {
      for (const window of windows[kind]) window.destroy();
      windows[kind] = [];
    },
    isOpen: (kind) => windows[kind].length > 0,
    tell: (state) => {
      for (const window of [...windows.main, ...windows.screensaver]) window.webContents.send(STATE_CHANNEL, state);
    },
  };
}

/** @param portable it leaves nothing on this PC */
const port = (portable: boolean, installed: Installed | null): DesktopPort => ({
  platform: process.platform,
  version: app.getVersion(),
  locale: app.getPreferredSystemLanguages()[0] ?? app.getLocale(),
  power: powerPort(),
  secrets: {
    // Under "basic_text" the key to it would stand in the program.
    available: () =>
      safeStorage.isEncryptionAvailable() &&
      (process.platform !== "linux" || safeStorage.getSelectedStorageBackend() !== "basic_text"),
    seal: (text) => safeStorage.encryptString(text),
    open: (sealed) => safeStorage.decryptString(Buffer.from(sealed)),
  },
  startAgent: (on) => {
    const child = utilityProcess.fork(join(BUILT, "agent.js"), [], { serviceName: "Nightshift", stdio: "ignore" });
    child.on("message", (message: FromAgentProcess) => on.message(message));
    child.once("exit", (code) => on.exited(code));
    return {
      send: (message) => child.postMessage(message),
      // kill() asks politely on some systems; a process that hangs does not hear it.
      kill: () => {
        try {
          if (child.pid !== undefined) process.kill(child.pid, "SIGKILL");
        } catch {
          child.kill();
        }
      },
    };
  },
  tray: trayPort(),
  windows: windowsPort(),
  updates: replacing({
    platform: process.platform,
    installed,
    appImage: process.env.APPIMAGE,
    relaunch: (execPath) => app.relaunch({ execPath, args: ["--hidden"] }),
  }),
  notify: (title, body) => {
    if (Notification.isSupported()) new Notification({ title, body, silent: true }).show();
  },
  chooseScreensaver,
  setOpenAtLogin: (openAtLogin) => {
    if (process.platform === "linux" || !app.isPackaged || portable) return false;
    app.setLoginItemSettings({ openAtLogin, args: ["--hidden"] });
    return true;
  },
  quit: () => app.quit(),
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
});

/** Applies to everything that could ever show a page. */
function guard(): void {
  const refuse = (event: { preventDefault(): void }): void => event.preventDefault();
  app.on("web-contents-created", (_, contents) => {
    contents.on("will-navigate", refuse);
    contents.on("will-redirect", refuse);
    contents.on("will-frame-navigate", refuse);
    contents.on("will-attach-webview", refuse);
    contents.setWindowOpenHandler(() => ({ action: "deny" }));
  });
  const { defaultSession } = session;
  defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  defaultSession.setPermissionCheckHandler(() => false);
  defaultSession.setDevicePermissionHandler(() => false);
  defaultSession.on("will-download", refuse);
  // Windows show nothing from elsewhere, so nothing is fetched from anywhere.
  defaultSession.webRequest.onBeforeRequest(({ url }, answer) => answer({ cancel: fileFor(url) === null }));
  protocol.handle(SCHEME, async ({ url }) => {
    const file = fileFor(url);
    if (file === null) return new Response(null, { status: 404 });
    const bytes = await readFile(join(BUILT, "renderer", file.path));
    return new Response(new Uint8Array(bytes), { headers: { ...HEADERS, "Content-Type": file.type } });
  });
}

const hostName = (): string =>
  hostname()
    .replaceAll(/[^\w.-]/g, "-")
    .slice(0, 100) || "pc";

function main(): void {
  const folder = dirname(process.execPath);
  const { home: beside, told: installed } = app.isPackaged ? readUnpacked(folder, readTold()) : { home: null, told: readTold() };
  const host = hostName();
  // Before the lock, which Electron keeps there: each PC that runs it from a share has its own.
  if (beside !== null) app.setPath("userData", join(beside, "electron", host));
  // One app for each user: a second one hands over what it was started with, and ends.
  if (!app.requestSingleInstanceLock()) return app.quit();
  app.setAppUserModelId("org.nightshift.agent");
  if (app.isPackaged && !installed?.byInstaller && beside === null)
    for (const scheme of ["nightshift", "nightshifts"]) app.setAsDefaultProtocolClient(scheme);
  const argv = process.argv.slice(app.isPackaged ? 1 : 2);
  let nightshift: App | undefined;
  let opened: string | undefined;
  app.on("second-instance", (_, commandLine) => {
    const as = parseCommandLine(commandLine.slice(1).filter(isOwn));
    if (nightshift) nightshift.launched(as);
    else if (as.kind === "app") opened = as.link ?? opened; // while this one is still starting
  });
  process.on("uncaughtException", (thrown) => {
    console.error(thrown);
    if (nightshift) nightshift.defect(thrown);
    else app.exit(1);
  });
  app.on("open-url", (event, url) => {
    event.preventDefault(); // macOS tells links so
    if (nightshift) nightshift.invited(url);
    else opened = url;
  });
  app.on("window-all-closed", () => undefined); // the tray stays
  app.on("before-quit", () => nightshift?.quit());
  void app.whenReady().then(() => {
    guard();
    Menu.setApplicationMenu(null);
    nightshift = new App(port(beside !== null, installed), {
      home: beside ?? resolve(process.env.NIGHTSHIFT_HOME || join(homedir(), ".nightshift")),
      host,
      slots: availableParallelism(),
      turn: machineTurn(),
      installed,
      ownerProgram: existing(join(process.resourcesPath, "owner.exe")),
      leaveFile: join(folder, "leave"),
      releaseKeys: releaseKeys(),
    });
    const running = nightshift;
    ipcMain.handle(REQUEST_CHANNEL, ({ senderFrame }, name: unknown, value: unknown) =>
      answerRequest(running, senderFrame && { url: senderFrame.url, isTop: senderFrame.parent === null }, name, value),
    );
    running.start(parseCommandLine(opened === undefined ? argv : [opened]));
  });
}

const existing = (path: string): string | undefined => (existsSync(path) ? path : undefined);

/** Built in by the packager (build.ts). */
const releaseKeys = (): string[] =>
  (JSON.parse(readFileSync(join(BUILT, "package.json"), "utf8")) as { releaseKeys?: string[] }).releaseKeys ?? [];

/** Chromium adds switches of its own to what a second instance hands over. */
const isOwn = (argument: string): boolean => !argument.startsWith("--") || argument === "--hidden";

main();
