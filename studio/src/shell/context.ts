import { createContext, useContext } from "react";
import type { Session } from "../api/types";
import type { WorkspaceApi } from "../api/workspace";

export interface StudioContext {
  session: Session;
  api: WorkspaceApi;
}

export const Studio = createContext<StudioContext | null>(null);

export function useStudio(): StudioContext {
  const found = useContext(Studio);
  if (!found) throw new Error("this component stands outside of a workspace");
  return found;
}

export const useApi = (): WorkspaceApi => useStudio().api;
