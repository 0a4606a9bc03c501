// Requests about policies: looking, trying out, changing and undoing.
import { policyAnswers } from "../policy-answers.ts";
import type { Services } from "./services.ts";
import type { Handlers } from "./site.ts";

type Served = "policies" | "policyVersions" | "setPolicy" | "previewPolicy" | "undoPolicy";

export function policyHandlers({ policies }: Services): Handlers<Served> {
  const answers = policyAnswers(policies);
  return {
    policies: () => ({ policies: answers.all() }),
    policyVersions: ({ query }) => ({ versions: answers.versions(query.scope) }),
    setPolicy: ({ body }, { who }) => answers.set(body.scope, body.document, who.name),
    previewPolicy: ({ body }) => answers.preview(body.scope, body.document),
    undoPolicy: ({ body }, { who }) => answers.undo(body.scope, body.version, who.name),
  };
}
