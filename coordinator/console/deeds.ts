// What events are about, in words. In English the stable code, which people search for, says it; in another language it stands behind the words.
import type { Answer } from "./client.ts";
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
