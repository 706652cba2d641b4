import type { Kind } from "../../api/resources";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { buildPath } from "../../shell/router";
import { parseOwnReference, shortenReference } from "./versions";

/** A link to the page of a version that an id or a reference names; what is of no workspace here is a text. */
export function AssetLink({ kind, id }: { kind: Kind; id: string }) {
  const api = useApi();
  const found = parseOwnReference(id);
  if (!found) return <code>{shortenReference(id)}</code>;
  return <Link to={buildPath(api.workspace.folder, kind, ...found)}>{shortenReference(id)}</Link>;
}
