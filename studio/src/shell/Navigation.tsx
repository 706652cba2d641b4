import { useState } from "react";
import { signOut } from "../api/workspace";
import { openPalette } from "./CommandPalette";
import { useStudio } from "./context";
import icon from "./icon.svg";
import { Icon } from "./icons";
import { Link } from "./Link";
import { PAGES } from "./pages";
import { buildPath, go } from "./router";
import { readTheme, setTheme, type Theme } from "./theme";
import { tellError } from "./toasts";

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const THEME_ICONS = { system: "screen", light: "sun", dark: "moon" } as const;

export function Navigation({ current }: { current: string }) {
  const { session, api } = useStudio();
  const [theme, setShown] = useState(readTheme);
  const folder = api.workspace.folder;
  function changeTheme() {
    setTheme(NEXT[theme]);
    setShown(NEXT[theme]);
  }
  const leave = () => signOut().then(() => location.reload(), tellError);
  return (
    <nav aria-label="Studio">
      <Link className="brand" to={buildPath(folder, "jobs")}><img src={icon} alt="" /><span>smalt</span></Link>
      {session.workspaces.length > 1 && (
        <label className="workspace">
          <span className="visually-hidden">Workspace</span>
          <select className="field" value={folder} onChange={(event) => go(buildPath(event.target.value, "jobs"))}>
            {session.workspaces.map((one) => <option key={one.folder} value={one.folder}>{one.name}</option>)}
          </select>
        </label>
      )}
      {PAGES.filter((page) => page.label).map((page) => (
        <Link key={page.path} className="item" to={buildPath(folder, page.path)} aria-current={current === page.path ? "page" : undefined}>
          <Icon name={page.icon ?? "jobs"} />{page.label}
        </Link>
      ))}
      <span className="space" />
      <button className="item" onClick={openPalette} aria-label="Find a job or command">
        <Icon name="search" /><span className="wide">Find</span><span className="shortcut"><kbd>Ctrl K</kbd></span>
      </button>
      <button className="item" onClick={changeTheme} aria-label={`Colours: ${theme}`}>
        <Icon name={THEME_ICONS[theme]} /><span className="wide">{theme === "system" ? "System" : theme === "dark" ? "Dark" : "Light"}</span>
      </button>
      <button className="item" onClick={leave} aria-label="Sign out"><Icon name="exit" /><span className="wide">Sign out</span></button>
      <span className="who" title={`${session.home}, smalt ${session.version}`}>{session.principal} · smalt {session.version}</span>
    </nav>
  );
}
