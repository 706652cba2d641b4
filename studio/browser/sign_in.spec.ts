import { call, checkAccess, expect, open, PAGES, submit, test, TOKEN, URL, WORKSPACE } from "./rig";

test("a code lets one browser in, and is gone from the address", async ({ page, browser }) => {
  await open(page, "jobs");
  await expect(page.getByRole("heading", { name: "Jobs", exact: true })).toBeVisible();
  expect(page.url()).toBe(`${PAGES}/jobs`);
  expect(await page.evaluate(() => document.cookie)).toBe("");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "smalt studio" })).toBeVisible();
  const { url } = await call("POST", "/smalt/v1/studio/codes", {});
  for (const [k, text] of ["Jobs", "smalt studio"].entries()) {
    const other = await (await browser.newContext()).newPage();
    await other.goto(url);
    await expect(other.getByRole("heading", { name: text, exact: true })).toBeVisible();
    if (k) await expect(other.getByRole("alert")).toContainText("used already");
    await other.context().close();
  }
});

test("a token opens a session by the form, and a wrong one says so", async ({ page }) => {
  await page.goto(`${URL}/studio`);
  await checkAccess(page);
  await page.getByLabel(/sign in with a token/).fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("the token is unknown or has expired");
  await page.getByLabel(/sign in with a token/).fill(TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Jobs", exact: true })).toBeVisible();
});

test("MLflow's link to a run leads to its job", async ({ page }) => {
  await submit("linked", "true", { experimentName: "links" });
  await open(page, "jobs");
  await expect(page.getByRole("heading", { name: "Jobs", exact: true })).toBeVisible();
  await page.goto(`${URL}/mlflow/v1.0${WORKSPACE}/#/experiments/0/runs/linked`);
  await expect(page.getByRole("heading", { name: "linked" })).toBeVisible();
  await expect(page).toHaveURL(`${PAGES}/jobs/linked`);
});
