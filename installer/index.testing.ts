// What tests that cross folders need of the installers. Nothing else imports this.
export { KEY_RIGHTS, OWN_KEYS, REGISTRY } from "./contents.ts";
export { makeStandIn } from "./distribution.ts";
export { productCode } from "./msi.ts";
export { findProgram } from "./native.ts";
export { policyTemplates } from "./policy-templates.ts";
export { packageForWindows, type WindowsPackages } from "./windows.ts";
