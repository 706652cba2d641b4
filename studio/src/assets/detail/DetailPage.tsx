import { useEffect, type ReactNode } from "react";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { buildPath, setQuery, usePlace } from "../../shell/router";
import { Tabs } from "../../shell/Tabs";
import "../../files/files.css";
import "../../job/job.css";
import "../assets.css";

export interface DetailTab {
  key: string;
  name: string;
  render: () => ReactNode;
}

interface Props {
  /** The list that the page belongs to. */
  list: { name: string; path: string };
  title: string;
  badges?: ReactNode;
  actions?: ReactNode;
  tabs: DetailTab[];
}

/** The page of one asset or resource: its name, its actions, and tabs, of which the address names one. */
export function DetailPage({ list, title, badges, actions, tabs }: Props) {
  const api = useApi();
  const { query } = usePlace();
  const tab = tabs.find(({ key }) => key === query.get("tab")) ?? tabs[0];
  useEffect(() => {
    document.title = `${title} · smalt`;
  }, [title]);
  return (
    <div className="asset-page">
      <header className="job-head">
        <nav aria-label="Above this page" className="crumbs">
          <Link to={buildPath(api.workspace.folder, list.path)}>{list.name}</Link>
        </nav>
        <div className="job-title">
          <h1>{title}</h1>
          {badges}
          <span className="space" />
          {actions && <div className="actions">{actions}</div>}
        </div>
      </header>
      <Tabs label={`About ${title}`} tabs={tabs} chosen={tab.key} onChoose={(key) => setQuery({ tab: key === tabs[0].key ? null : key }, { replace: true })}>
        {tab.render()}
      </Tabs>
    </div>
  );
}
