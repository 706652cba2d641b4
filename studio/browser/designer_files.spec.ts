import { readFileSync, writeFileSync } from "node:fs";
import { FILES, PIPELINE, fill, node, registerThree, writeProject } from "./designer_rig";
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

test("a file that another program changed is not overwritten, and outside of the folder nothing opens", async ({ page }) => {
  const path = writeProject("late");
  await open(page, `designer?file=${path}`);
  await expect(node(page, "count")).toBeVisible();
  writeFileSync(`${FILES}/${path}`, `${PIPELINE}# another's\n`);
  await node(page, "count").click();
  await fill(page, "Step count", "value of rows", "8");
  await page.keyboard.press("Control+s");
  await expect(page.getByRole("alert")).toContainText("was changed by another program");
  expect(readFileSync(`${FILES}/${path}`, "utf8")).toBe(`${PIPELINE}# another's\n`);
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
