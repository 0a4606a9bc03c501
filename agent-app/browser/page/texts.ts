// What the join page says, in every language it speaks. The policy's own words are in policy/words.ts.
import type { Language } from "../../policy/index.ts";

const en = {
  title: "Lend this computer",
  intro: "{host} asks for computing time that this computer does not need.",
  what: "What happens",
  whatRuns: "Programs of that cluster run inside this browser's sandbox. They see no file, no other page and no network.",
  whatStops:
    "When you are back they stop at once and go on on another computer. The browser keeps only the programs themselves, at most 64 MiB, so that they need not come again.",
  whatStopsHere:
    "When you look at this page, touch it or pause it, as you choose below, they stop at once and go on on another computer. The browser keeps only the programs themselves, at most 64 MiB, so that they need not come again.",
  whatLeaves:
    "Sent there: the name {name}, the browser's kind, how many cores you lend and how fast they are, and the programs' results.",
  whatEnds: "Closing this tab ends it.",
  cores: "Cores to lend: {count} of {all}",
  when: "When",
  away: "Only while I am away from this computer",
  awayHow: "The browser asks you whether this page may know that.",
  awayNot: "This browser cannot tell whether you are away.",
  background: "While this page is in the background",
  untouched: "While this page is in the background, or has not been touched for a minute; what you do elsewhere it does not see",
  always: "Whenever this page is open",
  charging: "Only while charging",
  chargingNot: "This browser cannot tell whether this computer is charging.",
  embedded: "Lend this computer's idle time to {host}",
  start: "Lend it",
  fill: "Fill the screen",
  stop: "Stop lending",
  pause: "Pause",
  resume: "Go on",
  lending: "This computer is lent to {host} as {name}.",
  agreed: "You lend {count} of {all} cores. {when}.",
  agreedCharging: " Only while charging.",
  ready: "Ready, no work at the moment",
  waiting: "Not connected",
  pending: "Waiting until an administrator of {host} lets this computer in as {name}.",
  offline: "No connection to {host}. It tries again by itself.",
  refused: "{host} refused: {message}",
  cluster: "Computing together: {computing} of {online} computers. Processes: {processes}.",
  image: "Picture rendered here: job {job}, {name}, parts: {parts}",
  spectrum: "Spectrum searched here: job {job}, {name}, parts: {parts}",
  processes: "Running now: {count}. Given so far: {time} of computing.",
  forWhom: "At work for {who}.",
  denied: "The browser did not allow it to know when you are away. Choose another time.",
  elsewhere: "Another tab of this browser lends this computer already.",
  "no-link": "This page needs a join link. Ask whoever runs the cluster for one, and open it here.",
  slow: "Programs run more slowly here than they could, as this browser keeps the page's threads apart.",
  untrusted:
    "This page came over plain http. Whoever is between this computer and {host} could have changed it: lend only in a network that you trust. Programs also run more slowly here than over https.",
  lacks:
    "This browser cannot run what would be computed here: it lacks {what}. Chrome and Edge have all of it from version 119 on, Firefox from 121, Safari from 18.2.",
};
export type Text = keyof typeof en;

const zhCN: Record<Text, string> = {
  title: "借出这台电脑",
  intro: "{host} 希望使用这台电脑闲置的计算能力。",
  what: "会发生什么",
  whatRuns: "该集群的程序在此浏览器的沙箱中运行，看不到任何文件、其他网页和网络。",
  whatStops: "您回来时它们立即停止，并在另一台电脑上继续。浏览器只保留程序本身（最多 64 MiB），以免重复下载。",
  whatStopsHere:
    "按您在下面的选择，您查看、操作此页面或将其暂停时，它们立即停止，并在另一台电脑上继续。浏览器只保留程序本身（最多 64 MiB），以免重复下载。",
  whatLeaves: "会发送：名称 {name}、浏览器种类、借出的核心数及其速度，以及程序的结果。",
  whatEnds: "关闭此标签页即告结束。",
  cores: "借出核心：{count} / {all}",
  when: "何时",
  away: "仅当我离开电脑时",
  awayHow: "浏览器会询问您是否允许此页面得知这一点。",
  awayNot: "此浏览器无法判断您是否离开。",
  background: "当此页面在后台时",
  untouched: "当此页面在后台，或已有一分钟未被操作时；此页面看不到您在别处的操作",
  always: "只要此页面打开",
  charging: "仅在充电时",
  chargingNot: "此浏览器无法判断电脑是否正在充电。",
  embedded: "将这台电脑的闲置时间借给 {host}",
  start: "借出",
  fill: "全屏显示",
  stop: "停止借出",
  pause: "暂停",
  resume: "继续",
  lending: "这台电脑已作为 {name} 借给 {host}。",
  agreed: "您借出 {count} / {all} 个核心。{when}。",
  agreedCharging: "仅在充电时。",
  ready: "就绪，目前没有任务",
  waiting: "未连接",
  pending: "正在等待 {host} 的管理员批准这台电脑以 {name} 加入。",
  offline: "无法连接 {host}，将自动重试。",
  refused: "{host} 拒绝：{message}",
  cluster: "{online} 台计算机中有 {computing} 台在计算，共 {processes} 个进程",
  image: "在此渲染的图像：作业 {job}，{name}，共 {parts} 部分",
  spectrum: "在此搜索的频谱：作业 {job}，{name}，共 {parts} 部分",
  processes: "正在运行：{count}。已贡献计算时间：{time}。",
  forWhom: "正在为 {who} 工作。",
  denied: "浏览器不允许得知您何时离开。请选择其他时间。",
  elsewhere: "此浏览器的另一个标签页已在借出这台电脑。",
  "no-link": "此页面需要加入链接。请向集群的管理者索取，并在此打开。",
  slow: "浏览器将此页面的线程彼此隔离，因此程序在此运行较慢。",
  untrusted:
    "此页面通过未加密的 http 传来，这台电脑与 {host} 之间的任何人都可能改动它：请只在您信任的网络中借出。程序在此也比通过 https 时运行得慢。",
  lacks: "此浏览器无法运行要在此计算的程序：缺少 {what}。Chrome 和 Edge 自 119 版、Firefox 自 121 版、Safari 自 18.2 版起具备。",
};

export const TEXTS: Record<Language, Record<Text, string>> = { en, "zh-CN": zhCN };

export const say = (language: Language, text: Text, values: Readonly<Record<string, string | number>> = {}): string =>
  TEXTS[language][text].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

/** "12 s", "34 min", "5.6 h" */
export function showTime(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 100) return `${Math.floor(seconds)} s`;
  return seconds < 6000 ? `${Math.floor(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
