import { test } from "@playwright/test";
import { open, PAGES } from "./rig";
test("shots", async ({ page }) => {
  await open(page, "designer");
  await page.waitForTimeout(500);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.goto(`${PAGES}/designer?file=prices.yml`);
    await page.getByText("valid", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Fit View" }).click();
    await page.waitForTimeout(400);
    await page.locator('[data-step="clean"]').click();
    await page.mouse.move(5, 715);
    await page.waitForTimeout(300);
    await page.screenshot({ path: `/work/wt/designer/docs/images/studio/designer-${colorScheme}.png` });
  }
});
