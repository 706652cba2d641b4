import { Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { setSignedOutListener } from "../api/client";
import type { Session } from "../api/types";
import { getSession, signIn, WorkspaceApi } from "../api/workspace";
import { CommandPalette } from "./CommandPalette";
import { Studio } from "./context";
import { ErrorBoundary } from "./ErrorBoundary";
import { Empty, ErrorMessage, Loading } from "./messages";
import { Navigation } from "./Navigation";
import { PAGES } from "./pages";
import { buildPath, getPlace, go, usePlace, type Place } from "./router";
import { SignIn } from "./SignIn";
import { Toast } from "./toasts";

type State = { kind: "loading" } | { kind: "out"; error?: Error } | { kind: "in"; session: Session } | { kind: "error"; error: Error };

/** Take the one-time code out of the address, so that it is in no history and no bookmark. */
function takeCode(): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code) history.replaceState(null, "", location.pathname + location.search);
  return code;
}

export function App() {
  const [state, setState] = useState<State>({ kind: "loading" });
  const load = useCallback(async () => {
    try {
      const code = takeCode();
      if (code) await signIn({ code });
      setState({ kind: "in", session: await getSession() });
    } catch (error) {
      await getSession().then(
        (session) => setState({ kind: "in", session }), // signed in already: a link that was used before does no harm
        (second: { status?: number }) =>
          setState(second.status === 401 ? { kind: "out", error: codeError(error as Error) } : { kind: "error", error: error as Error }),
      );
    }
  }, []);
  useEffect(() => {
    void findPage(getPlace())?.Component.preload?.().catch(() => {}); // meanwhile; what fails is told when it is drawn
    setSignedOutListener(() => setState((before) => (before.kind === "in" ? { kind: "out" } : before)));
    void load();
  }, [load]);
  useEffect(() => {
    if (state.kind !== "out") return;
    // Another tab may have signed in, such as the one that `smalt studio` opens: then this one shows its own page.
    const look = () => void getSession().then((session) => setState({ kind: "in", session }), () => {});
    addEventListener("focus", look);
    return () => removeEventListener("focus", look);
  }, [state.kind]);
  if (state.kind === "loading") return <Loading what="the studio" />;
  if (state.kind === "out") return <SignIn error={state.error} onDone={load} />;
  if (state.kind === "error") return <div className="center"><ErrorMessage error={state.error} retry={load} /></div>;
  return <SignedIn session={state.session} />;
}

const findPage = (place: Place) => PAGES.find((one) => one.matches(place));

function codeError(error: Error): Error | undefined {
  return error.message.includes("link to the studio") ? error : undefined;
}

/** The page of a run that MLflow's link names: its workspace by id, and the run in the fragment, which a redirect keeps. */
function findLinked(id: string | null, session: Session): string | null {
  const workspace = session.workspaces.find((one) => one.id.toLowerCase() === id?.toLowerCase());
  const [, run] = /\/runs\/([^/?]+)/.exec(location.hash) ?? [];
  return workspace ? buildPath(workspace.folder, "jobs", ...(run ? [decodeURIComponent(run)] : [])) : null;
}

function SignedIn({ session }: { session: Session }) {
  const place = usePlace();
  const workspace = session.workspaces.find((one) => one.folder === place.workspace);
  const first = session.workspaces[0];
  useEffect(() => {
    const linked = findLinked(place.query.get("wsid"), session);
    if (linked) go(linked, { replace: true });
    else if (!place.workspace && first) go(buildPath(first.folder, "jobs"), { replace: true });
    else if (workspace && !place.page) go(buildPath(workspace.folder, "jobs"), { replace: true });
  }, [place, workspace, first]);
  const studio = useMemo(() => workspace && { session, api: new WorkspaceApi(workspace) }, [session, workspace]);
  if (!first) return <Empty icon="jobs" title="This home has no workspace yet"><p>The first job makes one.</p><pre>smalt job create --file job.yml</pre></Empty>;
  if (!place.workspace) return null;
  if (!studio) {
    return (
      <div className="center">
        <Empty icon="alert" title={`There is no workspace '${place.workspace}' here`}>
          <p>It may have been deleted, or the address is of another server.</p>
          <a className="button" href={buildPath(first.folder, "jobs")}>Open workspace {first.name}</a>
        </Empty>
      </div>
    );
  }
  const page = findPage(place);
  return (
    <Studio.Provider value={studio}>
      <a className="skip" href="#content">Skip to the content</a>
      <div className="shell">
        <Navigation current={place.page} />
        <main id="content" tabIndex={-1}>
          <ErrorBoundary key={`${place.workspace}/${place.page}/${place.rest.join("/")}`}>
            <Suspense fallback={<Loading what="the page" />}>
              {page ? <page.Component /> : place.page && <NoPage workspace={place.workspace} />}
            </Suspense>
          </ErrorBoundary>
        </main>
      </div>
      <CommandPalette />
      <Toast />
    </Studio.Provider>
  );
}

function NoPage({ workspace }: { workspace: string }) {
  return (
    <div className="center">
      <Empty icon="alert" title="There is no such page">
        <a className="button" href={buildPath(workspace, "jobs")}>Open the jobs</a>
      </Empty>
    </div>
  );
}
