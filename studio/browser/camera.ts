import type { Page } from "@playwright/test";

const FOLDER = process.env.STUDIO_SHOTS!;

/** Take a picture of a page in light and in dark. */
export async function shoot(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.mouse.move(5, 715);
    await page.evaluate(() => document.fonts.ready);
    await page.waitForTimeout(250);
    await page.screenshot({ path: `${FOLDER}/${name}-${colorScheme}.png` });
  }
}
