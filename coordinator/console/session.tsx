// Who is signed in, for every page.
import { createContext, useContext } from "react";
import type { Answer } from "./client.ts";

export type Session = NonNullable<Answer<"session">["signedIn"]>;
export const SessionContext = createContext<Session>({ name: "", role: "viewer", csrf: "" });
export const useSession = (): Session => useContext(SessionContext);
export const useMayAdminister = (): boolean => useSession().role === "administrator";
/** Whether this person may steer a job of that person. */
export function useMaySteer(): (by: string) => boolean {
  const { name, role } = useSession();
  return (by) => role === "administrator" || (role === "submitter" && by === name);
}
