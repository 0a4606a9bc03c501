// Where the local authority is kept in the coordinator's home.
import { join } from "node:path";

export const authorityFolder = (home: string): string => join(home, "coordinator", "tls");
/** Of the certificate that administrators deploy. */
export const authorityFile = (home: string): string => join(authorityFolder(home), "ca.crt");
