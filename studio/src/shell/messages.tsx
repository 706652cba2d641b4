import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { Icon, type IconName } from "./icons";

/** The sentence of an error, with what can be done about it. */
export function ErrorMessage({ error, retry }: { error: Error; retry?: () => void }) {
  const details = error instanceof ApiError ? error.details.filter((detail) => detail !== error.message) : [];
  return (
    <div className="message error" role="alert">
      <Icon name="alert" />
      <div className="text">
        <p>{error.message}</p>
        {details.map((detail) => <p key={detail}>{detail}</p>)}
        {retry && <button className="button small" onClick={retry}>Try again</button>}
      </div>
    </div>
  );
}

/** A page or part without content, which says what to do. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <span className="mark"><Icon name={icon} size={32} /></span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Announced to screen readers only if it lasts; drawn as nothing, as most loading ends at once. */
export function Loading({ what }: { what: string }) {
  return <p className="visually-hidden" role="status">loading {what}</p>;
}
