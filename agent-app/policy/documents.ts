// The tables of docs/POLICY.md, from the same declarations that the policy works with.
import { RULES } from "./rules.ts";
import { SETTING_NAMES, SETTINGS } from "./settings.ts";
import { SIGNALS } from "./signals.ts";
import { LANGUAGES } from "./words.ts";

const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const code = (text: string): string => `\`${text}\``;

/** Title of a part -> its table, in Markdown. */
export function policyTables(): Record<string, string> {
  const settings = SETTING_NAMES.map((name) => {
    const { default: value, unit, allowed, meaning } = SETTINGS[name];
    return row(code(name), code(JSON.stringify(value)), unit, allowed, meaning);
  });
  const rules = RULES.flatMap(({ codes, when, lasting, setting }) =>
    codes.map((name, at) =>
      row(
        code(name),
        LANGUAGES.en[name],
        LANGUAGES["zh-CN"][name],
        at === 0 ? when : "the same",
        setting === undefined ? "" : code(setting),
        lasting ? "at once" : "after graceSeconds",
      ),
    ),
  );
  const signals = Object.entries(SIGNALS).map(([name, { unit, unknown }]) => row(code(name), unit, unknown));
  return {
    Settings: [row("setting", "default", "unit", "allowed", "meaning"), row("---", "---", "---", "---", "---"), ...settings].join(
      "\n",
    ),
    Reasons: [
      row("code", "words", "词语", "when", "setting", "processes continue elsewhere"),
      row("---", "---", "---", "---", "---", "---"),
      ...rules,
    ].join("\n"),
    Signals: [row("signal", "unit", "unknown means"), row("---", "---", "---"), ...signals].join("\n"),
  };
}
