// What tests that cross folders need of the installers. Nothing else imports this.
export { makeAgentProgram } from "./agent-program.ts";
export { EXIT_CODES, KEY_RIGHTS, OWN_KEYS, REGISTRY } from "./contents.ts";
export { makeStandIn } from "./distribution.ts";
export { packageForLinux } from "./linux.ts";
export { LINUX_FILES } from "./linux-contents.ts";
export { LAUNCH_AGENT, macConfiguration, packageForMac } from "./mac.ts";
export { productCode } from "./msi.ts";
export { compileForWindows, findProgram } from "./native.ts";
export { writeManifests } from "./package-managers.ts";
export { policyTemplates } from "./policy-templates.ts";
export { isSigned, sign } from "./signing.ts";
export { packageForWindows, type WindowsPackages } from "./windows.ts";
export { WINE_NODE, windowsNode } from "./windows-node.ts";
