// node check_site.mjs SPEC: uses the website as people do, from a server and from the disk.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { barriers, open, PHONE, run } from "./pages.mjs";
import { serve } from "./server.mjs";

const spec = JSON.parse(await readFile(process.argv[2], "utf8"));
const server = await serve(spec.server);
const disk = `${pathToFileURL(spec.site)}/`;
const WIDE = { viewport: { width: 1280, height: 900 } }; // with the navigation at the side

/** Type into the search, and return where the first results lead, and what the first result says. */
async function search(base, language, query) {
  const page = await open(`${base}${language}/index.html`);
  await page.fill(".md-search__input", query);
  await page.press(".md-search__input", "Space"); // `fill` presses no key, which the search waits for
  await page.locator(".md-search-result__link").first().waitFor();
  const links = await page.locator(".md-search-result__link").evaluateAll((all) => all.map((link) => link.href));
  const marked = await page.locator(".md-search-result__link mark").allTextContents();
  await page.locator(".md-search-result__link").first().click();
  await page.locator("h1").waitFor();
  return { links: links.map((link) => link.slice(base.length)), marked, heading: await page.locator("h1").textContent() };
}

const scheme = (page) => page.evaluate(() => document.body.dataset.mdColorScheme);

await run({
  searches: async () => {
    const found = {};
    for (const [language, query] of spec.queries)
      for (const base of [server.url, disk]) (found[query] ??= []).push(await search(base, language, query));
    return found;
  },
  questions: async () => {
    const found = [];
    for (const [language, query] of spec.questions) found.push((await search(server.url, language, query)).links);
    return found;
  },
  quiz: async () => {
    const found = [];
    for (const base of [server.url, disk]) {
      const page = await open(`${base}zh/1_hello_mnist_3.html`);
      await page.locator(".hello-mnist-quiz fieldset").first().locator("button").nth(spec.choice).click();
      found.push(await page.locator(".hello-mnist-quiz .score").textContent());
    }
    return found;
  },
  root: async () => {
    const found = [];
    for (const locale of ["zh-CN", "zh-TW", "en-GB", "de-DE"]) {
      const page = await open(server.url, { locale });
      await page.waitForURL(/index\.html/);
      found.push(page.url().slice(server.url.length));
    }
    return found;
  },
  languages: async () => {
    const page = await open(`${disk}en/4_formats.html`);
    const found = [];
    for (let i = 0; i < 2; i++) {
      await page.click("a.language");
      found.push([page.url().slice(disk.length), await page.evaluate(() => document.documentElement.lang)]);
    }
    return found;
  },
  schemes: async () => {
    const page = await open(`${server.url}en/index.html`, { colorScheme: "dark" });
    const found = [await scheme(page)];
    await page.click("label[title='Light mode']");
    found.push(await scheme(page));
    await page.goto(`${server.url}en/6_data.html`);
    return [...found, await scheme(page)];
  },
  phone: async () => {
    const wide = [];
    for (const path of spec.pages) {
      const page = await open(`${disk}${path}`, PHONE);
      if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) wide.push(path);
      await page.context().close();
    }
    return wide;
  },
  page: async () => {
    const page = await open(`${disk}en/index.html`, WIDE);
    await page.click("a[href='../page.html']");
    await page.locator("canvas").first().waitFor();
    return page.title();
  },
  barriers: async () => {
    const found = [];
    for (const colorScheme of ["light", "dark"])
      for (const path of spec.readable) found.push(...(await barriers(await open(`${server.url}${path}`, { colorScheme }))));
    return found;
  },
});
await server.stop();
