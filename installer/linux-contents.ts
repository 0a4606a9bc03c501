// What the package for Debian and its relatives has beside the app itself, in one table: how it starts, opens links and is found in menus. A
// function of the version; writes nothing.

const MAINTAINER = "Nightshift maintainers <maintainers@nightshift.example>";
export const PROGRAM = "nightshift-app";
export const APP_FOLDER = "usr/lib/nightshift";
const APP_ID = "org.nightshift.agent";

export interface LinuxFile {
  /** Below the root, without a slash in front. */
  path: string;
  content: { text: string } | { link: string } | { icon: string };
  mode?: number;
}

/** For menus, and the handler of join links; it starts what log-in has started already only once. */
const entry = (more: readonly string[]): string =>
  [
    "[Desktop Entry]",
    "Type=Application",
    "Name=Nightshift",
    "Comment=Lends this computer's idle time to your cluster",
    "Comment[zh_CN]=将这台电脑的闲置时间借给您的集群",
    `TryExec=${PROGRAM}`,
    `Icon=${APP_ID}`,
    "Terminal=false",
    "Categories=Utility;",
    ...more,
    "",
  ].join("\n");

const UNIT = `[Unit]
Description=Nightshift: lends this computer's idle time to your cluster
PartOf=graphical-session.target
After=graphical-session.target

[Service]
ExecStart=/usr/bin/${PROGRAM} --hidden
# Who ends it by hand has it back at the next log-in, not at once.
Restart=on-failure
RestartSec=10
# What runs here leaves within the time that the app asks the system for when it ends.
TimeoutStopSec=10

[Install]
WantedBy=graphical-session.target
`;

const COPYRIGHT = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Nightshift

Files: *
Copyright: 2026 Nightshift authors
License: Apache-2.0
 On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.
 Electron's and Chromium's own licences are in /${APP_FOLDER}.
`;

const POLICY_EXAMPLE = { version: 1, by: "IT", locked: { mode: "idle" }, defaults: { idleAfterSeconds: 300 } };
const INSTALL_EXAMPLE = { join: "nightshift://pool.example:7433/#KEY.TOKEN", pool: "floor-2", mode: "idle", tray: true };

export const LINUX_FILES: readonly LinuxFile[] = [
  { path: `usr/bin/${PROGRAM}`, content: { link: `../lib/nightshift/${PROGRAM}` } },
  { path: "usr/lib/systemd/user/nightshift.service", content: { text: UNIT } },
  // For every user, as a package cannot enable it for each: `systemctl --user mask nightshift` is a user's no.
  { path: "usr/lib/systemd/user/graphical-session.target.wants/nightshift.service", content: { link: "../nightshift.service" } },
  // Desktops that do not start their sessions by systemd; the others skip it.
  {
    path: `etc/xdg/autostart/${APP_ID}.desktop`,
    content: { text: entry([`Exec=${PROGRAM} --hidden`, "NoDisplay=true", "X-systemd-skip=true"]) },
  },
  {
    path: `usr/share/applications/${APP_ID}.desktop`,
    content: {
      text: entry([
        `Exec=${PROGRAM} %u`,
        "MimeType=x-scheme-handler/nightshift;x-scheme-handler/nightshifts;",
        "StartupWMClass=Nightshift",
      ]),
    },
  },
  { path: `usr/share/icons/hicolor/scalable/apps/${APP_ID}.svg`, content: { icon: "computing.svg" } },
  { path: `usr/share/icons/hicolor/16x16/apps/${APP_ID}.png`, content: { icon: "computing.png" } },
  { path: `usr/share/icons/hicolor/32x32/apps/${APP_ID}.png`, content: { icon: "computing@2x.png" } },
  { path: "usr/share/doc/nightshift/copyright", content: { text: COPYRIGHT } },
  { path: "usr/share/doc/nightshift/examples/policy.json", content: { text: `${JSON.stringify(POLICY_EXAMPLE, null, 2)}\n` } },
  { path: "usr/share/doc/nightshift/examples/install.json", content: { text: `${JSON.stringify(INSTALL_EXAMPLE, null, 2)}\n` } },
];

export const CHANGELOG = "usr/share/doc/nightshift/changelog.gz";
/** As packages must have one; what has changed stands in the project's own history. */
export const changelog = (version: string): string =>
  `nightshift (${version}) unstable; urgency=medium\n\n  * Version ${version}.\n\n -- ${MAINTAINER}  Thu, 01 Jan 2026 00:00:00 +0000\n`;

/** Administrators put policy.json and install.json there. */
export const SETTINGS_FOLDER = "etc/nightshift";

/**
 * What Electron needs of the system, as electron-builder's own packages have it, and what plays and draws. Those with t64 are called so since Debian 13
 * and Ubuntu 24.04, where another package pretends to be libasound2.
 */
const DEPENDS = [
  ...["libgtk-3-0t64 | libgtk-3-0", "libnotify4", "libnss3", "libxss1", "libxtst6", "xdg-utils"],
  ...["libatspi2.0-0t64 | libatspi2.0-0", "libuuid1", "libsecret-1-0", "libasound2t64 | libasound2", "libgbm1"],
];

/** See deb-control(5). @param standIn it needs nothing of what Electron needs */
export const control = (version: string, kibibytes: number, standIn: boolean): string =>
  [
    "Package: nightshift",
    `Version: ${version}`,
    "Architecture: amd64",
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${kibibytes}`,
    `Depends: ${standIn ? "libc6" : DEPENDS.join(", ")}`,
    "Section: utils",
    "Priority: optional",
    `Description: lends this computer's idle time to your cluster${standIn ? " (stand-in)" : ""}`,
    " Programs of the cluster run in a sandbox, only while nobody is at the computer,",
    " and move on to another one within moments when somebody is.",
    ...(standIn ? [" .", " Built without Electron, to try the package: this is not Nightshift itself."] : []),
    "",
  ].join("\n");
