// What windows may do, as data: the same for every one of them, applied by electron/main.ts.

/** Pages come from our own scheme, so that they have an origin of their own and no file is reachable beside them. */
export const SCHEME = "app";
export const ORIGIN = "app://nightshift";

export const WEB_PREFERENCES = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webviewTag: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  navigateOnDragDrop: false,
  safeDialogs: true,
  spellcheck: false,
} as const;

export const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'none'; connect-src 'none'; " +
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=()",
  "Cache-Control": "no-store",
};

/** Everything that can be asked for; what the build makes is checked against it. */
export const FILES: Readonly<Record<string, string>> = {
  "/index.html": "text/html; charset=utf-8",
  "/screensaver.html": "text/html; charset=utf-8",
  "/window.js": "text/javascript; charset=utf-8",
  "/screensaver.js": "text/javascript; charset=utf-8",
  "/window.css": "text/css; charset=utf-8",
  "/screensaver.css": "text/css; charset=utf-8",
};

/** The file for a URL of ours, or null: there is nothing else. */
export function fileFor(url: string): { path: string; type: string } | null {
  if (!URL.canParse(url)) return null;
  const { protocol, host, pathname } = new URL(url);
  const type = Object.hasOwn(FILES, pathname) ? FILES[pathname] : undefined;
  return `${protocol}//${host}` === ORIGIN && type !== undefined ? { path: pathname, type } : null;
}

/** May a page of this frame ask us? Only our own, as the top frame. */
export const isOurs = (frame: { url: string; isTop: boolean }): boolean => frame.isTop && fileFor(frame.url) !== null;
