import { setQuery } from "../shell/router";

/** The choice between lines below and beside each other. */
export function LineChoice({ isSplit }: { isSplit: boolean }) {
  const choose = (lines: string | null) => setQuery({ lines }, { replace: true });
  return (
    <div className="segments" role="group" aria-label="Lines">
      <button className="button small" aria-pressed={!isSplit} onClick={() => choose(null)}>Unified</button>
      <button className="button small" aria-pressed={isSplit} onClick={() => choose("side-by-side")}>Side by side</button>
    </div>
  );
}
