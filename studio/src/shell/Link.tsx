import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { go } from "./router";

type Props = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string };

/** A link within the studio: a real address, followed without loading the page again. */
export function Link({ to, onClick, ...rest }: Props) {
  function follow(event: MouseEvent<HTMLAnchorElement>) {
    onClick?.(event);
    const elsewhere = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (event.defaultPrevented || elsewhere) return;
    event.preventDefault();
    go(to);
  }
  return <a href={to} onClick={follow} {...rest} />;
}
