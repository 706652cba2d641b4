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

test("a page that was asked for without a session is shown after the sign-in", async ({ browser }) => {
  await submit("asked", "true", { experimentName: "links" });
  for (const [address, place] of [[`${URL}/mlflow/v1.0${WORKSPACE}/#/experiments/0/runs/asked`, "jobs/asked"], [`${PAGES}/jobs/asked?tab=log`, "jobs/asked?tab=log"]]) {
    const context = await browser.newContext();
    const [byToken, byTab] = [await context.newPage(), await context.newPage()];
    for (const page of [byToken, byTab]) {
      await page.goto(address);
      await expect(page.getByRole("heading", { name: "smalt studio" })).toBeVisible();
    }
    await byToken.getByLabel(/sign in with a token/).fill(TOKEN);
    await byToken.getByRole("button", { name: "Sign in" }).click();
    await expect(byToken.getByRole("heading", { name: "asked" })).toBeVisible();
    await expect(byToken).toHaveURL(`${PAGES}/${place}`);
    await byTab.evaluate(() => dispatchEvent(new Event("focus"))); // as when its tab is chosen again
    await expect(byTab.getByRole("heading", { name: "asked" })).toBeVisible();
    await expect(byTab).toHaveURL(`${PAGES}/${place}`);
    await context.close();
  }
});
