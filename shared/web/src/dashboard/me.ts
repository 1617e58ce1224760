// Who is looking, as the API knows them.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Me, Role } from "./contract.ts";

const roles: readonly Role[] = ["viewer", "agent", "admin"];

/** Reports whether somebody may do what a role may. */
export function may(me: Me, role: Role): boolean {
  return me.role !== "" && roles.indexOf(me.role) >= roles.indexOf(role);
}

export const MeContext = createContext<Me | null>(null);

/** Who is looking; within the pages of those who have signed in. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error("nobody has signed in");
  return me;
}
