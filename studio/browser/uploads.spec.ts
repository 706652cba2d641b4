import { mkdtempSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call, checkAccess, expect, open, test, TOKEN, URL, WORKSPACE } from "./rig";

const CSV = "rooms,price\n3,200\n4,300\n";
const makeFolder = () => mkdtempSync(join(tmpdir(), "smalt-upload-"));

async function readUploaded(uri: string, path = ""): Promise<string> {
  const [, store, place] = /^azureml:\/\/datastores\/(\w+)\/paths\/(.*)$/.exec(uri)!;
  const answer = await fetch(`${URL}/smalt/v1${WORKSPACE}/datastores/${store}/files/${[place, path].filter(Boolean).join("/")}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  expect(answer.status).toBe(200);
  return answer.text();
}

test("files and folders are uploaded, registered by version, and offered in the designer", async ({ page }) => {
  await open(page, "data");
  await page.getByRole("button", { name: "Upload…" }).click();
  const dialog = page.getByRole("dialog", { name: "Upload data" });
  await checkAccess(page);
  await dialog.getByLabel("Name").fill("cars");
  await dialog.getByRole("button", { name: "Upload" }).click();
  await expect(dialog.getByRole("alert")).toContainText("there is nothing to upload yet; choose files or a folder");
  await dialog.getByLabel("Files").setInputFiles({ name: "my cars.csv", mimeType: "text/csv", buffer: Buffer.from(CSV) });
  await expect(dialog.getByRole("note")).toHaveText("my cars.csv: 1 file, 24 bytes");
  await expect(dialog.getByLabel("Type")).toHaveValue("uri_file");
  await dialog.getByRole("button", { name: "Upload" }).click();
  await expect(page).toHaveURL(/\/data\/cars\/1$/);
  const { properties } = await call("GET", `${WORKSPACE}/data/cars/versions/1`);
  expect(properties.dataType).toBe("uri_file");
  expect(await readUploaded(properties.dataUri)).toBe(CSV);

  const folder = join(makeFolder(), "cars");
  mkdirSync(join(folder, "x"), { recursive: true });
  writeFileSync(join(folder, "MLTable"), "paths: [{file: ./x/a.csv}]\ntransformations: [read_delimited: {delimiter: ','}]\n");
  writeFileSync(join(folder, "x", "a.csv"), CSV);
  writeFileSync(join(folder, "x", "empty"), "");
  await open(page, "data");
  await page.getByRole("button", { name: "Upload…" }).click();
  await dialog.getByLabel("Or a folder").setInputFiles(folder);
  await expect(dialog.getByLabel("Name")).toHaveValue("cars");
  await expect(dialog.getByLabel("Type")).toHaveValue("mltable");
  await dialog.getByLabel("Version").fill("1");
  await dialog.getByRole("button", { name: "Upload" }).click();
  await expect(dialog.getByRole("alert")).toContainText("data asset 'cars' has a version 1 already; choose another, or leave it empty for the next one");
  await dialog.getByLabel("Version").fill("");
  await dialog.getByRole("button", { name: "Upload" }).click();
  await expect(page).toHaveURL(/\/data\/cars\/2$/);
  const table = (await call("GET", `${WORKSPACE}/data/cars/versions/2`)).properties;
  expect([table.dataType, await readUploaded(table.dataUri, "x/a.csv"), await readUploaded(table.dataUri, "x/empty")]).toEqual(["mltable", CSV, ""]);

  await open(page, "designer?new=1");
  await page.getByRole("searchbox").fill("cars");
  await page.getByRole("button", { name: /^cars/ }).press("Enter");
  await expect(page.locator(".cm-content")).toContainText("azureml:cars");
});

test("the name is suggested by the files until somebody types one, and an archived one is refused before they are sent", async ({ page }) => {
  await call("PUT", `${WORKSPACE}/data/old/versions/1`, { properties: { dataType: "uri_folder", dataUri: "https://example.org/old" } });
  await call("PUT", `${WORKSPACE}/data/old`, { properties: { isArchived: true } });
  const sent: string[] = [];
  page.on("request", (request) => request.url().includes("/datastores/") && sent.push(request.url()));
  await open(page, "data");
  await page.getByRole("button", { name: "Upload…" }).click();
  const dialog = page.getByRole("dialog", { name: "Upload data" });
  const name = dialog.getByLabel("Name");
  const choose = (file: string) => dialog.getByLabel("Files").setInputFiles({ name: file, mimeType: "text/csv", buffer: Buffer.from(CSV) });
  await choose("first.csv");
  await expect(name).toHaveValue("first");
  await choose("second.csv");
  await expect(name).toHaveValue("second");
  await name.fill("old");
  await choose("third.csv");
  await expect(name).toHaveValue("old");
  await dialog.getByRole("button", { name: "Upload" }).click();
  await expect(dialog.getByRole("alert")).toContainText("data asset 'old' is archived, so a new version would be hidden; restore it on its page, or use another name");
  expect(sent).toEqual([]);
  await name.fill("");
  await choose("fourth.csv");
  await dialog.getByRole("button", { name: "Upload" }).click();
  await expect(page).toHaveURL(/\/data\/fourth\/1$/);
});

test("a large upload shows how far it is, is canceled, and goes on where it ended", async ({ page }) => {
  const file = join(makeFolder(), "large.bin");
  writeFileSync(file, "x");
  truncateSync(file, 80_000_000); // ten requests
  await open(page, "data");
  let [count, isHeld] = [0, true];
  const sent: number[] = [];
  await page.route("**/uploads/content?*", async (route) => {
    count += 1;
    if (isHeld && count === 4) return; // until it is canceled
    sent.push(count);
    await route.continue();
  });
  await page.getByRole("button", { name: "Upload…" }).click();
  const dialog = page.getByRole("dialog", { name: "Upload data" });
  await dialog.getByLabel("Files").setInputFiles(file);
  await dialog.getByRole("button", { name: "Upload" }).click();
  await expect(dialog.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "24000000");
  await checkAccess(page);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog.getByRole("alert")).toContainText("the upload was canceled, and nothing is registered");
  isHeld = false;
  await dialog.getByRole("button", { name: "Upload" }).click();
  await expect(page).toHaveURL(/\/data\/large\/1$/);
  expect(sent.length).toBe(10); // three before, seven after
  const { value } = await call("GET", `/smalt/v1${WORKSPACE}/datastores/workspaceblobstore/list?path=${(await call("GET", `${WORKSPACE}/data/large/versions/1`)).properties.dataUri.split("/paths/")[1].split("/").slice(0, 2).join("/")}&recursive=true`);
  expect(value.filter((one: { is_dir?: boolean }) => !one.is_dir).map((one: { size: number }) => one.size)).toEqual([80_000_000]);
});
