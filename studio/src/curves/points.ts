const MOST = 4000;
const STEP = 200;

/** How many points of a curve are asked for: two for each pixel of what is drawn in, the highest and the lowest there. */
export function choosePoints(width: number): number {
  return Math.min(MOST, Math.max(2 * STEP, Math.ceil((2 * width) / STEP) * STEP));
}

/** The points for a chart in the part of the page that tabs show. */
export const choosePointsOfPage = (): number => choosePoints(document.getElementById("tab-content")?.clientWidth || innerWidth);
