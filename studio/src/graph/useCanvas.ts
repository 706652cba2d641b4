import { useLayoutEffect, useRef, type RefObject } from "react";
import { drawGraph, type Colours, type Picture } from "./draw";
import type { Viewport } from "./viewport";

/** How far the canvas reaches beyond the window, so that a move need not draw again. */
const RESERVE = 240;

type Content = Omit<Picture, "view" | "width" | "height">;

/** Draw a graph on a canvas: when what is drawn changes, or a move leaves the reserve; else the canvas is only moved. */
export function useCanvas(canvas: RefObject<HTMLCanvasElement | null>, view: Viewport | null, size: { width: number; height: number } | null, content: Content, colours: Colours | null): void {
  const drawn = useRef<{ view: Viewport; parts: unknown[] } | null>(null);
  const { nodes, edges, isFar, selected, getLook } = content;
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || !view || !size || !colours) return;
    const parts = [nodes, edges, isFar, selected, getLook, colours, size, view.zoom];
    const last = drawn.current;
    const isSame = last !== null && parts.every((part, k) => part === last.parts[k]);
    const [dx, dy] = last ? [view.left - last.view.left, view.top - last.view.top] : [0, 0];
    if (isSame && Math.abs(dx) <= RESERVE && Math.abs(dy) <= RESERVE) {
      element.style.transform = `translate(${dx}px, ${dy}px)`;
      return;
    }
    drawn.current = { view, parts };
    const [width, height] = [size.width + 2 * RESERVE, size.height + 2 * RESERVE];
    Object.assign(element.style, { left: `${-RESERVE}px`, top: `${-RESERVE}px`, width: `${width}px`, height: `${height}px`, transform: "" });
    drawGraph(element, { ...content, view: { ...view, left: view.left + RESERVE, top: view.top + RESERVE }, width, height }, colours);
  }, [canvas, view, size, nodes, edges, isFar, selected, getLook, colours]);
}
