// The face of the policy: when a host may compute, and the words for it.
export { type Decision, decide, type Memory, NO_MEMORY, type Reason, tomorrowMs } from "./decide.ts";
export { type KeeperPorts, PolicyKeeper } from "./keeper.ts";
export type { ManualPause, ReasonCode } from "./rules.ts";
export { isSettingName, MODES, SETTING_NAMES, SETTINGS, type SettingName, type Settings } from "./settings.ts";
export { type Moment, momentOf, type Signals } from "./signals.ts";
export {
  type AdminPolicy,
  type Effective,
  effective,
  formatOwnerFile,
  MAX_FILE_BYTES,
  MAX_WORDS,
  type OwnerFile,
  parseAdminPolicy,
  parseOwnerFile,
  parseSettings,
  RUN_NOW,
  restricted,
} from "./sources.ts";
export { decisionWords, kindOfDecision, LANGUAGES, type Language, languageOf, reasonIn, reasonWords } from "./words.ts";
