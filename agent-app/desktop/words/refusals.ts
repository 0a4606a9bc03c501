// What needs the person's attention, in their language. What the agent and the coordinator say is English: where that is not theirs it stands behind, as it
// names what it is about. The join page says it the same way.
import type { ErrorCode } from "@nightshift/wasm-kernels/errors";
import { REMEDIES } from "@nightshift/wasm-kernels/errors";
import { saidInChinese } from "@nightshift/wasm-kernels/errors-zh";
import type { Language } from "./catalogue.ts";

export interface Said {
  title: string;
  /** "": the title says it all. */
  more: string;
}

export function saidIn(language: Language, code: string, message: string): Said {
  const chinese = language === "zh-CN" ? saidInChinese(code) : undefined;
  if (chinese !== undefined) return { title: chinese, more: message };
  return { title: message, more: Object.hasOwn(REMEDIES, code) ? REMEDIES[code as ErrorCode] : "" };
}
