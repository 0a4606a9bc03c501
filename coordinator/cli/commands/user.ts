// `nightshift user` and `nightshift api-token`: who may use the web console and the HTTP API.
import { Command, Option } from "commander";
import { type Result, ROLES, type UserRole } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { listCommand } from "../list-command.ts";
import { parseCount } from "../quantities.ts";
import type { Column } from "../table.ts";
import { printJson, write } from "../terminal.ts";

type User = Result<"userList">[number];
type ApiToken = Result<"apiTokenList">[number];
type WithRole = CommonOptions & { role: UserRole };

const USER = "{name, role, createdAt}";
const roleOption = (description: string): Option => new Option("--role <role>", description).choices(ROLES).default("viewer");

export function userCommand(): Command {
  const list = listCommand(
    "userList",
    {
      description: "list who may sign in to the console",
      examples: ["nightshift user list"],
      json: `an array of ${USER}; createdAt is milliseconds since 1970`,
    },
    "There is no user yet. Make one with `nightshift user invite`.",
    USER_COLUMNS,
  );
  const invite = declare({
    usage: "invite [name]",
    description: "print a one-time link that makes a user, or gives a user there is a new password",
    examples: ["nightshift user invite --role submitter", "nightshift user invite ada --role administrator"],
    notes:
      "Without a name, whoever opens the link chooses one. A user there is keeps the role. The link is good once, for three days;\n" +
      "keep it secret.",
    json: "{link, expiresAt}; expiresAt is milliseconds since 1970",
  })
    .addOption(roleOption("viewer: looks; submitter: runs programs; administrator: everything"))
    .action(async (name: string | undefined, options: WithRole) => {
      const params = { role: options.role, name: name ?? null };
      const made = await withClient(options, (client) => client.request("userInvite", params));
      return options.json ? printJson(made) : write(process.stdout, `${made.link}\n`);
    });
  const role = declare({
    usage: "role <name> <role>",
    description: "give a user another role: viewer, submitter or administrator",
    examples: ["nightshift user role ada submitter"],
    json: USER,
  }).action(async (name: string, given: string, options: CommonOptions) => {
    const changed = await withClient(options, (client) => client.request("userRole", { name, role: given as UserRole }));
    return options.json ? printJson(changed) : write(process.stdout, `${changed.name} is ${changed.role}\n`);
  });
  role.registeredArguments[1]?.choices(ROLES);
  const remove = declare({
    usage: "remove <name>",
    description: "remove a user with all sessions and API tokens, at once",
    examples: ["nightshift user remove ada"],
    json: "{removed}",
  }).action(async (name: string, options: CommonOptions) => {
    await withClient(options, (client) => client.request("userRemove", { name }));
    return options.json ? printJson({ removed: name }) : write(process.stdout, `${name} has been removed.\n`);
  });
  const user = new Command("user").description("who may sign in to the console: list, invite, give a role, remove");
  for (const command of [list, invite, role, remove]) user.addCommand(command);
  return user;
}

export function apiTokenCommand(): Command {
  const list = listCommand(
    "apiTokenList",
    {
      description: "list the API tokens of all users",
      examples: ["nightshift api-token list"],
      json: "an array of {id, user, name, role, createdAt, expiresAt}; times are milliseconds since 1970",
    },
    "There is no API token.",
    TOKEN_COLUMNS,
  );
  const create = declare({
    usage: "create <user> <name>",
    description: "make a token with which a program asks the HTTP API as this user",
    examples: ["nightshift api-token create ada nightly-build --role submitter --days 90"],
    notes:
      "The token is shown this once: send it as `Authorization: Bearer TOKEN`. It can do no more than its user; docs/API.md has every request.",
    json: "{token, id, expiresAt}; expiresAt is milliseconds since 1970",
  })
    .addOption(roleOption("what it may do at most"))
    .option("--days <count>", "how long it is good, at most 366", "90")
    .action(async (user: string, name: string, options: WithRole & { days: string }) => {
      const params = { user, name, role: options.role, days: parseCount(options.days, "--days", 1, 366) };
      const made = await withClient(options, (client) => client.request("apiTokenCreate", params));
      if (options.json) return printJson(made);
      await write(process.stdout, `${made.token}\n`);
      return write(
        process.stderr,
        `Token ${made.id} of ${user}, ${options.role}, until ${new Date(made.expiresAt).toLocaleString()}. Keep it secret.\n`,
      );
    });
  const revoke = declare({
    usage: "revoke <id>",
    description: "make an API token worthless, at once",
    examples: ["nightshift api-token revoke 3f2a90c1b4d7"],
    json: "{revoked}",
  }).action(async (id: string, options: CommonOptions) => {
    await withClient(options, (client) => client.request("apiTokenRevoke", { id }));
    return options.json ? printJson({ revoked: id }) : write(process.stdout, `Token ${id} is worth nothing any more.\n`);
  });
  const tokens = new Command("api-token").description("tokens with which programs use the HTTP API: list, create, revoke");
  for (const command of [list, create, revoke]) tokens.addCommand(command);
  return tokens;
}

const since = (at: number): string => new Date(at).toLocaleString();

const USER_COLUMNS: Column<User>[] = [
  { head: "NAME", value: ({ name }) => name },
  { head: "ROLE", value: ({ role }) => role },
  { head: "SINCE", value: ({ createdAt }) => since(createdAt) },
];

const TOKEN_COLUMNS: Column<ApiToken>[] = [
  { head: "ID", value: ({ id }) => id },
  { head: "USER", value: ({ user }) => user },
  { head: "NAME", value: ({ name }) => name },
  { head: "ROLE", value: ({ role }) => role },
  { head: "SINCE", value: ({ createdAt }) => since(createdAt) },
  { head: "UNTIL", value: ({ expiresAt }) => since(expiresAt) },
];
