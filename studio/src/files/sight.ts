const PATIENCE = 3000;
const TOUCHES = ["wheel", "pointerdown", "keydown", "touchmove"] as const;

/** Scroll to an element that was just opened, and on while its content comes, until somebody scrolls by hand.
 *
 * An element of a list is shown with its row. One that fills the better part of the window is shown from its beginning. */
export function keepInSight(element: HTMLElement): () => void {
  const row = element.closest("li") ?? element;
  const show = () => row.scrollIntoView({ block: row.offsetHeight > window.innerHeight / 2 ? "start" : "nearest" });
  const observer = new ResizeObserver(show);
  observer.observe(element);
  const stop = () => {
    observer.disconnect();
    clearTimeout(timer);
    for (const touch of TOUCHES) window.removeEventListener(touch, stop);
  };
  const timer = setTimeout(stop, PATIENCE);
  for (const touch of TOUCHES) window.addEventListener(touch, stop, { passive: true });
  return stop;
}
