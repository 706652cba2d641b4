import type { Page } from "@playwright/test";
import { expect, open, PAGES, submit, submitPipeline, test, waitForEnd } from "./rig";

/** Buttons and fields of the page's head that something else covers. */
const listCovered = (page: Page) => page.locator("main").evaluate((main) => [...main.querySelectorAll(".page-head button, .page-head select, .job-head button, .filter-bar button, .filter-bar input")].filter((one) => {
  const { left, top, width, height } = one.getBoundingClientRect();
  const found = document.elementFromPoint(left + width / 2, top + height / 2);
  return width > 0 && !one.contains(found) && !found?.contains(one);
}).map((one) => `${one.tagName} ${(one.textContent || one.getAttribute("aria-label") || "").slice(0, 40)}`));

/** Buttons, fields and headings that stand beyond the right edge, but for those in parts that are scrolled by themselves. */
const listOutside = (page: Page) => page.locator("main").evaluate((main) => {
  const isScrolled = (element: Element | null): boolean => element !== null && element !== main && (["auto", "scroll"].includes(getComputedStyle(element).overflowX) && element.scrollWidth > element.clientWidth + 1 || isScrolled(element.parentElement));
  return [...main.querySelectorAll("button, select, input, h1, h2, p")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".react-flow, .job-view") && !isScrolled(one.parentElement))
    .map((one) => `${one.tagName} ${(one.textContent || one.getAttribute("aria-label") || "").slice(0, 40)}`);
});

test("no control of a page is outside of a phone's screen, and a job's buttons take one row at 1280 × 720", async ({ page }) => {
  await submitPipeline("narrow", { a_step_with_a_long_name: { command: "echo a" }, b: { command: "false" } }, { displayName: "a-pipeline-of-two" });
  expect(await waitForEnd("narrow")).toBe("Failed");
  for (let k = 0; k < 40; k++) await submit(`short-${k}`, "true"); // a table that is higher than the screen
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, "jobs");
  await expect(page.getByRole("button", { name: "By experiment" })).toBeVisible(); // signed in
  for (const [path, ready] of [
    ["jobs", "By experiment"], ["jobs?group=experiment", "By experiment"], ["jobs/narrow", "Run again"], ["jobs/narrow?view=timeline", "Run again"], ["compare?jobs=narrow", "Add a job"],
    ["designer", "Upload a file"], ["environments", "Type"], ["disk", "Count again"],
  ]) {
    await page.goto(`${PAGES}/${path}`);
    await expect(page.getByRole("button", { name: ready, exact: true }).first()).toBeVisible();
    if (path === "jobs") await expect(page.getByRole("row").nth(13)).toBeVisible();
    expect(await listOutside(page), path).toEqual([]);
    expect(await listCovered(page), path).toEqual([]);
  }
  await page.setViewportSize({ width: 1280, height: 720 });
  for (const [path, label] of [["jobs", "Metric"], ["designer?new=1", "More"]]) {
    await page.goto(`${PAGES}/${path}`);
    await page.getByRole("button", { name: label, exact: true }).click();
    await expect(page.locator(".menu-panel")).toBeVisible();
    await expect.poll(() => page.locator(".menu-panel").evaluate((panel) => panel.getBoundingClientRect().right <= innerWidth), path).toBe(true);
  }
  await page.goto(`${PAGES}/jobs/narrow`);
  await expect(page.getByRole("button", { name: "About" })).toBeVisible();
  const rows = await page.locator(".job-acts .button").evaluateAll((found) => [...new Set(found.map((one) => Math.round(one.getBoundingClientRect().top)))]);
  expect(rows).toHaveLength(1);
  await expect(page.getByRole("region", { name: "b", exact: true })).toBeVisible();
  expect(await page.evaluate(() => document.scrollingElement!.scrollHeight)).toBe(720);
  expect(await page.locator(".node-panel .tabs").evaluate((tabs) => tabs.scrollWidth - tabs.clientWidth)).toBe(0);
});
