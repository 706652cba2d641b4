import type { ReactNode } from "react";
import { getResource, type Resource } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { useApi } from "../../shell/context";
import { DeadEnd } from "../../shell/DeadEnd";
import { Loading } from "../../shell/messages";
import { usePlace } from "../../shell/router";

interface Props<Properties> {
  /** The path of the resource below the workspace. */
  path: string;
  children: (resource: Resource<Properties>, reload: () => void) => ReactNode;
}

/** Loads a resource and draws it, or says why it cannot. */
export function ResourceLoader<Properties>({ path, children }: Props<Properties>) {
  const api = useApi();
  const found = useQuery(`${api.own} ${path}`, () => getResource<Properties>(api, path));
  const { page, rest } = usePlace();
  if (found.error) return <DeadEnd error={found.error} retry={found.reload} noun={page.replace(/s$/, "")} name={rest.at(-1) ?? ""} icon="alert" list={{ name: page, path: page }} />;
  if (!found.data) return <Loading what="the page" />;
  return <>{children(found.data, found.reload)}</>;
}
