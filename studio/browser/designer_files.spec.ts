import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { FILES, PIPELINE, fill, form, node, readText, registerThree, writeProject } from "./designer_rig";
import { call, checkAccess, expect, open, test, WORKSPACE } from "./rig";

test("an uploaded file is registered, scheduled and published", async ({ page }) => {
  await registerThree();
  await open(page, "designer");
  const text = "type: pipeline\r\ndisplay_name: uploaded\r\ninputs: {rows: 4}\r\njobs:\r\n  make:\r\n    component: azureml:make_rows:1\r\n    inputs: {rows: '${{parent.inputs.rows}}'}";
  await page.getByLabel("A pipeline's YAML file").setInputFiles({ name: "up.yml", mimeType: "application/yaml", buffer: Buffer.from(text) });
  await expect(node(page, "make")).toBeVisible();
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  const more = async (name: string) => {
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("button", { name }).click();
  };
  await more("Register as a component…");
  await checkAccess(page);
  await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
  await expect(page.getByText("component 'uploaded' has version 1")).toBeVisible();
  await more("Schedule…");
  await page.getByLabel("Minute, hour, day").fill("nonsense");
  await page.getByRole("dialog").getByRole("button", { name: "Schedule" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("expression");
  await page.getByLabel("Minute, hour, day").fill("5 4 * * *");
  await page.getByRole("dialog").getByRole("button", { name: "Schedule" }).click();
  await expect(page.getByText("schedule 'uploaded' is on")).toBeVisible();
  await more("Publish to a batch endpoint…");
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText("batch endpoint 'uploaded' runs azureml:uploaded:1")).toBeVisible();
  const endpoint = await call("GET", `${WORKSPACE}/batchEndpoints/uploaded`);
  expect(endpoint.properties.defaults.deploymentName).toBe("default");
  await call("DELETE", `${WORKSPACE}/schedules/uploaded`);
});

test("a file that another program changed is reloaded, or overwritten, when the person says so", async ({ page }) => {
  const path = writeProject("late");
  const saved = () => readFileSync(`${FILES}/${path}`, "utf8");
  const theirs = `${PIPELINE}# another's\n`;
  await open(page, `designer?file=${path}`);
  await expect(node(page, "count")).toBeVisible();
  writeFileSync(`${FILES}/${path}`, theirs);
  await node(page, "count").click();
  await fill(page, "Step count", "value of rows", "8");
  await page.keyboard.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "The file was changed elsewhere" });
  await expect(dialog).toContainText("was changed by another program");
  await checkAccess(page);
  expect(saved()).toBe(theirs);
  await dialog.getByRole("button", { name: "Reload the file" }).click();
  const value = form(page, "Step count").getByLabel("value of rows", { exact: true });
  await expect(value).toHaveValue("5");
  await expect.poll(() => readText(page)).toContain("# another's");
  await expect(page.getByText("not saved", { exact: true })).toBeHidden();
  await page.locator(".draw-title h1").click();
  await page.keyboard.press("Control+z");
  await expect(value).toHaveValue("8");
  await page.keyboard.press("Control+s"); // over what was read at the reload
  await expect.poll(saved).toBe(PIPELINE.replace("rows: 5", "rows: 8"));
  writeFileSync(`${FILES}/${path}`, theirs);
  await value.fill("9");
  await page.keyboard.press("Control+s");
  await expect(dialog).toBeVisible();
  writeFileSync(`${FILES}/${path}`, `${theirs}# once more\n`);
  await dialog.getByRole("button", { name: "Save mine over it" }).click();
  await expect(dialog).toBeVisible(); // it was changed again, after the question
  expect(saved()).toContain("# once more");
  await dialog.getByRole("button", { name: "Save mine over it" }).click();
  await expect(dialog).toBeHidden();
  expect(saved()).toBe(PIPELINE.replace("rows: 5", "rows: 9"));
});

test("a file that was removed is saved again or elsewhere, and so is a draft that another browser changed", async ({ page }) => {
  const path = writeProject("gone");
  await open(page, `designer?file=${path}`);
  await node(page, "count").click();
  rmSync(`${FILES}/${path}`);
  await fill(page, "Step count", "value of rows", "8");
  await page.keyboard.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "It was removed elsewhere" });
  await expect(dialog.getByRole("button", { name: "Reload the file" })).toHaveCount(0);
  await dialog.getByRole("button", { name: "Save it again" }).click();
  await expect(page.getByText(`saved ${path}`)).toBeVisible();
  expect(readFileSync(`${FILES}/${path}`, "utf8")).toBe(PIPELINE.replace("rows: 5", "rows: 8"));
  const draft = `/smalt/v1${WORKSPACE}/drafts/shared`;
  await call("PUT", draft, { text: "type: pipeline\njobs: {}\n", folder: null, positions: {} });
  await open(page, "designer?draft=shared");
  await fill(page, "Pipeline", "Display name", "mine");
  await call("PUT", draft, { text: "type: pipeline\ndisplay_name: theirs\njobs: {}\n", folder: null, positions: {} });
  await page.keyboard.press("Control+s");
  const other = page.getByRole("dialog", { name: "The draft was changed elsewhere" });
  await other.getByRole("button", { name: "Save as…" }).click();
  await page.getByRole("dialog", { name: "Save the pipeline" }).getByLabel("Name", { exact: true }).fill("own");
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await expect(page).toHaveURL(/draft=own/);
  expect((await call("GET", draft)).text).toContain("theirs");
  expect((await call("GET", `/smalt/v1${WORKSPACE}/drafts/own`)).text).toContain("mine");
});

test("nothing opens outside of the folder", async ({ page }) => {
  await open(page, "designer?file=../outside.yml");
  await expect(page.getByRole("alert")).toContainText("leads out of its folder");
});

test("a file that is no pipeline, or is not YAML, says so", async ({ page }) => {
  const folder = writeProject("others").split("/")[0];
  await open(page, `designer?file=${folder}/count.yml`);
  await expect(page.getByText("Its type is 'command'")).toBeVisible();
  await page.getByRole("button", { name: "Submit" }).click();
  await expect(page.getByRole("alert")).toContainText("only a job is submitted");
  writeFileSync(`${FILES}/${folder}/broken.yml`, "type: pipeline\njobs:\n  a:\n    type: command\n   command: ls\n");
  await open(page, `designer?file=${folder}/broken.yml`);
  await expect(page.getByText("The YAML does not parse, so nothing is drawn")).toBeVisible();
  await expect(page.locator("[data-step]")).toHaveCount(0);
});
