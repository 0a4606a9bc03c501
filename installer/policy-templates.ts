// The templates of group policy, Nightshift.admx and its words in two languages, made of the policy's own table of settings, so that every
// setting is in them: each once as what nobody can change and once as a default. `node installer/policy-templates.ts` writes them into
// windows/policy. What the agents read of it is agent-app/headless/group-policy.ts's.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { appWords, type Words } from "@nightshift/agent-app/desktop/words";
import { type Language, MAX_WORDS, SETTING_NAMES, SETTINGS, type SettingName } from "@nightshift/agent-app/policy";

const KEY = "Software\\Policies\\Nightshift";
const NAMESPACE = 'xmlns="http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions" revision="1.0" schemaVersion="1.0"';
const MAX_LINK = 1000;
/** As of coordinator/protocol's TAG. */
const MAX_TAG = 32;
const LOCALES: Readonly<Record<string, Language>> = { "en-US": "en", "zh-CN": "zh-CN" };

/** A policy as the template has it; its words are in the .adml by its name. */
interface Policy {
  name: string;
  category: string;
  /** Where its value stands. */
  key: string;
  value: string;
  kind: Kind;
}

type Kind =
  | { kind: "onOff" }
  | { kind: "number"; range: readonly [number, number]; fallback: number }
  | { kind: "choice"; values: readonly string[]; fallback: number }
  | { kind: "list" }
  | { kind: "text"; most: number };

/** @throws when a setting is of none of these kinds */
function kindOf(name: SettingName): Kind {
  const { default: fallback, range, values } = SETTINGS[name];
  if (typeof fallback === "boolean") return { kind: "onOff" };
  if (typeof fallback === "number" && range) return { kind: "number", range, fallback };
  if (typeof fallback === "string" && values) {
    const choices = choicesOf(name);
    return { kind: "choice", values: choices, fallback: choices.indexOf(fallback) };
  }
  if (Array.isArray(fallback)) return { kind: "list" };
  throw new TypeError(`${name} is of a kind that the templates do not know`);
}

const choicesOf = (name: SettingName): readonly string[] => (SETTINGS[name].values ?? []).map(String);

/** Of settings: name of the category, what its policies' names begin with, and where below the key they stand. */
const WAYS = [
  { category: "Locked", prefix: "", below: "" },
  { category: "Defaults", prefix: "Default_", below: "\\Defaults" },
] as const;

const OTHERS: readonly Policy[] = [
  { name: "By", category: "Locked", key: KEY, value: "By", kind: { kind: "text", most: MAX_WORDS } },
  { name: "Join", category: "Installation", key: KEY, value: "Join", kind: { kind: "text", most: MAX_LINK } },
  { name: "Pool", category: "Installation", key: KEY, value: "Pool", kind: { kind: "text", most: MAX_TAG } },
  { name: "Tray", category: "Installation", key: KEY, value: "Tray", kind: { kind: "onOff" } },
];

const POLICIES: readonly Policy[] = [
  ...WAYS.flatMap(({ category, prefix, below }) =>
    SETTING_NAMES.map((name) => ({ name: prefix + name, category, key: KEY + below, value: name, kind: kindOf(name) })),
  ),
  ...OTHERS,
];
const CATEGORIES = [...new Set(POLICIES.map(({ category }) => category))];

/** Path -> text. */
export function policyTemplates(): Record<string, string> {
  const locales = Object.entries(LOCALES).map(([locale, language]) => [`${locale}/Nightshift.adml`, adml(language)]);
  return Object.fromEntries([["Nightshift.admx", admx()], ...locales].map(([path, lines]) => [path, file(lines as string[])]));
}

export async function writePolicyTemplates(folder: string): Promise<void> {
  for (const [path, text] of Object.entries(policyTemplates())) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

const file = (lines: readonly string[]): string =>
  ['<?xml version="1.0" encoding="utf-8"?>', "<!-- Made by policy-templates.ts. -->", ...lines, ""].join("\n");
const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
const within = (tag: string, lines: readonly string[]): string[] => [`<${tag}>`, ...indented(lines), `</${tag.split(" ")[0]}>`];
const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

function admx(): string[] {
  const named = (name: string): string => `name="${name}" displayName="$(string.${name})"`;
  return within(`policyDefinitions ${NAMESPACE}`, [
    ...within("policyNamespaces", ['<target prefix="nightshift" namespace="Nightshift.Policies"/>']),
    '<resources minRequiredRevision="1.0"/>',
    ...within("supportedOn", within("definitions", [`<definition ${named("SupportedOn")}/>`])),
    ...within("categories", [
      `<category ${named("Nightshift")}/>`,
      ...CATEGORIES.flatMap((name) => within(`category ${named(name)}`, ['<parentCategory ref="Nightshift"/>'])),
    ]),
    ...within("policies", POLICIES.flatMap(policyElement)),
  ]);
}

function policyElement({ name, category, key, value, kind }: Policy): string[] {
  const onOff = kind.kind === "onOff";
  const words = `displayName="$(string.${name})" explainText="$(string.${name}_Explain)"`;
  const shown = onOff ? `valueName="${value}"` : `presentation="$(presentation.${name})"`;
  return within(`policy name="${name}" class="Both" ${words} key="${key}" ${shown}`, [
    `<parentCategory ref="${category}"/>`,
    '<supportedOn ref="SupportedOn"/>',
    ...(onOff
      ? [["enabledValue", 1] as const, ["disabledValue", 0] as const].flatMap(([tag, number]) =>
          within(tag, [`<decimal value="${number}"/>`]),
        )
      : within("elements", valueElement(name, key, value, kind))),
  ]);
}

function valueElement(name: string, key: string, value: string, kind: Kind): string[] {
  const stored = `id="${name}" valueName="${value}" required="true"`;
  switch (kind.kind) {
    case "number":
      return [`<decimal ${stored} minValue="${kind.range[0]}" maxValue="${kind.range[1]}"/>`];
    case "choice":
      return within(
        `enum ${stored}`,
        kind.values.flatMap((one) =>
          within(`item displayName="$(string.${value}_${one})"`, within("value", [`<string>${escaped(one)}</string>`])),
        ),
      );
    case "list":
      // A key of its own, with values named 1, 2 and so on.
      return [`<list id="${name}" key="${key}\\${value}" valuePrefix=""/>`];
    case "text":
      return [`<text ${stored} maxLength="${kind.most}"/>`];
    case "onOff":
      return [];
  }
}

function adml(language: Language): string[] {
  const app = appWords(language);
  const words = WORDS[language];
  const strings: Record<string, string> = { Nightshift: app.name, SupportedOn: words.supportedOn };
  for (const name of CATEGORIES) strings[name] = words.categories[name] ?? name;
  for (const name of SETTING_NAMES) for (const value of choicesOf(name)) strings[`${name}_${value}`] = choiceLabel(value, app);
  for (const { name, category, value, kind } of POLICIES) {
    const setting = SETTING_NAMES.find((one) => one === value);
    const other = words.others[value as keyof typeof words.others];
    strings[name] = setting ? labelOf(setting, app) : other.label;
    strings[`${name}_Explain`] = [
      ...(setting ? words.explain(setting, app) : [other.meaning]),
      ...(setting && category === "Defaults" ? [words.isDefault] : []),
      ...(kind.kind === "onOff" ? [words.onOff] : kind.kind === "list" ? [words.list] : []),
    ].join("\n\n");
  }
  return within(`policyDefinitionResources ${NAMESPACE}`, [
    `<displayName>${app.name}</displayName>`,
    `<description>${escaped(words.description)}</description>`,
    ...within("resources", [
      ...within(
        "stringTable",
        Object.entries(strings).map(([id, text]) => `<string id="${id}">${escaped(text)}</string>`),
      ),
      ...within(
        "presentationTable",
        POLICIES.filter(({ kind }) => kind.kind !== "onOff").flatMap(({ name, kind }) =>
          within(`presentation id="${name}"`, inputElement(name, kind, escaped(strings[name] ?? ""))),
        ),
      ),
    ]),
  ]);
}

function inputElement(name: string, kind: Kind, label: string): string[] {
  switch (kind.kind) {
    case "number":
      return [`<decimalTextBox refId="${name}" defaultValue="${kind.fallback}">${label}</decimalTextBox>`];
    case "choice":
      return [`<dropdownList refId="${name}" noSort="true" defaultItem="${kind.fallback}">${label}</dropdownList>`];
    case "list":
      return [`<listBox refId="${name}">${label}</listBox>`];
    case "text":
      return within(`textBox refId="${name}"`, [`<label>${label}</label>`]);
    case "onOff":
      return [];
  }
}

const labelOf = (name: SettingName, app: Words): string =>
  (name === "hours" ? app.hoursSetting : app[name]).replace(/, one span a line|, one a line|，每行一个/, "");

const choiceLabel = (mode: string, app: Words): string =>
  ({ auto: app.modeAuto, idle: app.modeIdle, locked: app.modeLocked, always: app.modeAlways, never: app.modeNever })[mode] ??
  mode;

interface TemplateWords {
  description: string;
  supportedOn: string;
  categories: Readonly<Record<string, string>>;
  isDefault: string;
  onOff: string;
  list: string;
  others: Readonly<Record<"By" | "Join" | "Pool" | "Tray", { label: string; meaning: string }>>;
  /** Paragraphs. */
  explain(name: SettingName, app: Words): string[];
}

const WORDS: Readonly<Record<Language, TemplateWords>> = {
  en: {
    description: "When and how much the idle PCs of an organisation compute with Nightshift.",
    supportedOn: "Nightshift 0.1 or later",
    categories: { Locked: "Settings that nobody can change", Defaults: "Defaults", Installation: "Joining and tray" },
    isDefault: "A default: the owner of the PC may choose otherwise.",
    onOff: "Enabled is yes, disabled is no. Not configured says nothing.",
    list: "A list without entries says nothing.",
    others: {
      By: {
        label: "Who sets this",
        meaning: "Shown beside every setting that is locked, such as: IT, Example Ltd. At most 200 characters.",
      },
      Join: {
        label: "Join link",
        meaning:
          "The coordinator that each user of the PC joins when the app next starts, nightshift://... A changed link is joined again. Every user of the PC can read it: give it an end, a number of uses and, if you can, approval.",
      },
      Pool: {
        label: "Pool",
        meaning:
          "A letter or digit of any language, then up to 31 letters, digits, blanks, dots, dashes and underscores: the first tag of the PC when it joins, so that the coordinator's policies can be for it. Counts once; administrators of the coordinator change tags afterwards.",
      },
      Tray: { label: "Icon in the tray", meaning: "Whether the app shows an icon in the tray. Counts when the app next starts." },
    },
    explain: (name) => {
      const { meaning, allowed, unit, default: fallback } = SETTINGS[name];
      const plain = meaning.replaceAll("`", "");
      return [
        `${plain.charAt(0).toUpperCase()}${plain.slice(1)}.`,
        `Allowed: ${allowed}${unit === "" ? "" : ` (${unit})`}. Without any policy: ${JSON.stringify(fallback)}.`,
      ];
    },
  },
  "zh-CN": {
    description: "组织中的空闲电脑何时以及用多少资源通过 Nightshift 计算。",
    supportedOn: "Nightshift 0.1 或更高版本",
    categories: { Locked: "任何人都不能更改的设置", Defaults: "默认值", Installation: "加入与托盘" },
    isDefault: "这是默认值：电脑的使用者可以另行选择。",
    list: "没有条目的列表不作规定。",
    onOff: "“已启用”为是，“已禁用”为否，“未配置”则不作规定。",
    others: {
      By: { label: "由谁设定", meaning: "显示在每个锁定的设置旁，例如：示例公司信息部。最多 200 个字符。" },
      Join: {
        label: "加入链接",
        meaning:
          "应用下次启动时，这台电脑的每个用户加入的协调器，形如 nightshift://...。链接更改后会重新加入。这台电脑的每个用户都能读取它：请设定期限和使用次数，并尽可能要求批准。",
      },
      Pool: {
        label: "池",
        meaning:
          "以文字或数字开头，其后最多 31 个文字、数字、空格、点、短横线和下划线：电脑加入时的第一个标签，协调器可按标签设置策略。只在首次加入时生效，之后由协调器的管理员更改。",
      },
      Tray: { label: "托盘图标", meaning: "应用是否在托盘中显示图标。应用下次启动时生效。" },
    },
    explain: (name, app) => {
      const { range, unit, default: fallback } = SETTINGS[name];
      const values = choicesOf(name);
      const allowed = range ? `允许：${range[0]} 到 ${range[1]} 的整数${unit === "" ? "" : `（${unit.split(" ")[0]}）`}。` : "";
      const choices =
        values.length > 0 ? `允许：${values.map((value) => `${value}（${choiceLabel(value, app)}）`).join("、")}。` : "";
      const example = name === "hours" ? `例如：${app.hoursExample}。` : "";
      return [`${labelOf(name, app)}。`, `${example}${allowed}${choices}没有策略时：${JSON.stringify(fallback)}。`];
    },
  },
};

if (import.meta.main) await writePolicyTemplates(join(import.meta.dirname, "windows", "policy"));
