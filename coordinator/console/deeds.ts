// What events are about, in words. In English the stable code, which people search for, says it; in another language it stands behind the words.
// What the coordinator says beside it is English, as in exported files; shown here it is said again.
import { type Detail, REASONS, type Reason, retell } from "../protocol/deed-details.ts";
import type { Answer } from "./client.ts";
import { roleName, scopeName } from "./names.ts";
import { languageNow } from "./words.tsx";

type Deed = Answer<"events">["events"][number]["what"];

const zh: Record<Deed, string> = {
  "signed-in": "登录",
  "sign-in-failed": "登录失败",
  "signed-out": "退出登录",
  "password-changed": "修改密码",
  "user-invited": "邀请用户",
  "user-added": "添加用户",
  "user-changed": "更改用户",
  "user-removed": "移除用户",
  "sso-connected": "关联单点登录",
  "sso-disconnected": "解除单点登录",
  "passkey-added": "添加通行密钥",
  "passkey-removed": "移除通行密钥",
  "api-token-created": "创建 API 令牌",
  "api-token-removed": "移除 API 令牌",
  "job-submitted": "提交作业",
  "job-ended": "作业结束",
  "job-cancelled": "取消作业",
  "job-retried": "重新运行作业",
  "process-cancelled": "取消进程",
  "process-migrated": "迁移进程",
  "host-joined": "主机加入",
  "host-left": "主机离开",
  "host-changed": "更改主机",
  "host-removed": "移除主机",
  "link-created": "创建加入链接",
  "link-removed": "移除加入链接",
  "policy-changed": "更改策略",
  "host-waits": "主机等待批准",
  "host-approved": "批准主机",
  "host-refused": "拒绝主机",
  "experiment-started": "开始开销实验",
  "experiment-ended": "开销实验结束",
  "measurement-sent": "收到测量结果",
  "measurement-removed": "移除测量结果",
  "release-published": "发布版本",
  "release-to-all": "版本推送给全部主机",
  "release-halted": "版本停止推送",
  "host-updated": "主机已更新",
  "host-update-failed": "主机更新失败",
};

/** Empty where the code needs no other words. */
export const deedWords = (deed: Deed): string => (languageNow() === "zh" ? zh[deed] : "");
/** Of a column with both. */
export const deedWidth = (): string => (languageNow() === "zh" ? "18em" : "11em");

const details: Record<Detail, string> = {
  "from {address}, by the passkey {passkey}": "来自 {address}，使用通行密钥 {passkey}",
  "from {address}, by {provider}": "来自 {address}，通过 {provider}",
  "from {address}": "来自 {address}",
  "no such name": "没有此用户名",
  "{why}, from {address}": "{why}，来自 {address}",
  "{role}, by {provider}": "{role}，通过 {provider}",
  "{role}, as {provider} says": "{role}，依据 {provider}",
  "{role}": "{role}",
  "{passkey}, for {site}": "{passkey}，用于 {site}",
  "{token}, {role}": "{token}，{role}",
  "{job}, {parts} parts": "{job}，{parts} 个部分",
  "1 part": "1 个部分",
  "{parts} parts": "{parts} 个部分",
  "{processes} processes": "{processes} 个进程",
  "{state} exit status {status}": "{state}，退出状态 {status}",
  "{state} {code}": "{state} {code}",
  "{state}": "{state}",
  "queue to {to}": "队列 → {to}",
  "{from} to {to}": "{from} → {to}",
  "{slots} slots": "{slots} 个槽位",
  "{before} is now {after}": "{before} 更名为 {after}",
  "tags {tags}": "标签 {tags}",
  "no tags": "无标签",
  "kept clear": "保持空闲",
  "takes work again": "重新接受工作",
  "its processes stay": "其进程不再均衡",
  "its processes are balanced again": "其进程重新参与均衡",
  "takes nothing new": "不接受新进程",
  "takes new processes again": "重新接受新进程",
  "{scope}, {uses} uses, with approval": "{scope}，可用 {uses} 次，需批准",
  "{scope}, {uses} uses": "{scope}，可用 {uses} 次",
  "{scope}": "{scope}",
  "version {version}: as version {before}": "版本 {version}：同版本 {before}",
  "version {version}: as before the first version": "版本 {version}：恢复到第一版之前",
  "version {version}: says nothing": "版本 {version}：无设置",
  "version {version}: {settings}": "版本 {version}：{settings}",
  "{first} and {second}, {runs} runs of fib({n})": "{first} 和 {second}，fib({n}) 运行 {runs} 次",
  "{state}: {why}": "{state}：{why}",
  "1 program on {machine}": "{machine} 上的 1 个程序",
  "{programs} programs on {machine}": "{machine} 上的 {programs} 个程序",
  "to all hosts, in place of {versions}": "推送给全部主机，取代 {versions}",
  "to all hosts": "推送给全部主机",
  "to {ring}, in place of {versions}": "推送给 {ring}，取代 {versions}",
  "to {ring}": "推送给 {ring}",
  "by hand": "手动",
  "{failed} of {tried} hosts that took it failed or did not come back": "{tried} 台采用的主机中有 {failed} 台失败或未恢复连接",
  "to {version}": "到版本 {version}",
  "{version}: {why}": "{version}：{why}",
};
const reasons: Record<Reason, string> = {
  "this passkey is not known here": "此处不认识该通行密钥",
  "what the passkey answered does not hold": "通行密钥的应答无效",
  "it did not come back": "主机未恢复连接",
  "no reason given": "未说明原因",
};
const states: Readonly<Record<string, string>> = {
  exited: "完成",
  done: "完成",
  failed: "失败",
  cancelled: "已取消",
  interrupted: "被中断",
};

/** A reason that an error or a host says is shown as it is. */
export const reasonWords = (why: string): string =>
  languageNow() === "zh" && (REASONS as readonly string[]).includes(why) ? reasons[why as Reason] : why;

const valueWords: Readonly<Record<string, (value: string) => string>> = {
  role: roleName,
  scope: scopeName,
  state: (state) => states[state] ?? state,
  why: reasonWords,
};

/** What stands beside the deed, in the page's language. */
export function detailWords(deed: Deed, text: string): string {
  if (languageNow() === "en") return text;
  const said = retell(deed, text, (sentence, values) =>
    details[sentence].replaceAll(/\{(\w+)\}/g, (_, name: string) => (valueWords[name] ?? String)(values[name] ?? "")),
  );
  return said?.replaceAll("; ", "；") ?? text;
}
