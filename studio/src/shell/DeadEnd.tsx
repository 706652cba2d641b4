import { ApiError } from "../api/client";
import { useStudio } from "./context";
import { Icon, type IconName } from "./icons";
import { Link } from "./Link";
import { Empty, ErrorMessage } from "./messages";
import { buildPath } from "./router";

interface Props {
  error: Error;
  retry?: () => void;
  /** What was looked for, and the list in which such things are. */
  noun: string;
  name: string;
  icon: IconName;
  list: { name: string; path: string };
}

/** A page of something that is not there, with the ways on; of another error, its sentence. */
export function DeadEnd({ error, retry, noun, name, icon, list }: Props) {
  const { session, api } = useStudio();
  if (!(error instanceof ApiError) || error.status !== 404) return <div className="center"><ErrorMessage error={error} retry={retry} /></div>;
  const all = buildPath(api.workspace.folder, list.path);
  const others = session.workspaces.filter((one) => one.folder !== api.workspace.folder).slice(0, 5);
  const rest = location.pathname.split("/").slice(3).join("/");
  return (
    <div className="center">
      <Empty icon={icon} title={`There is no ${noun} '${name}' in workspace ${api.workspace.name}`}>
        <p>It may have been deleted, or it has another name.</p>
        <p className="ways">
          <Link className="button" to={`${all}?search=${encodeURIComponent(name)}&view=all`}><Icon name="search" size={14} />Search for it</Link>
          <Link className="button" to={all}>All {list.name.toLowerCase()}</Link>
        </p>
        {others.length > 0 && <p className="ways">Look in {others.map((one) => <Link key={one.folder} to={`/studio/${one.folder}/${rest}`}>{one.name}</Link>)}</p>}
      </Empty>
    </div>
  );
}
