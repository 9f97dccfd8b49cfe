// node check_quiz.mjs SPEC: answers quizzes as people do, with the mouse and with the keyboard.
import { readFile } from "node:fs/promises";
import { barriers, open, PHONE, run, tabTo } from "./pages.mjs";

const spec = JSON.parse(await readFile(process.argv[2], "utf8"));
const choice = (quiz, question, index) => quiz.locator("fieldset").nth(question).locator("button").nth(index);
const score = (quiz) => quiz.locator(".score").textContent();
const feedback = (quiz) => quiz.locator(".feedback").allTextContents();

/** Answer each question with a click, the first `wrong` of them wrongly, and return the quiz. */
async function clickThrough(page, language, wrong) {
  const quiz = page.locator(`section[lang=${language}]`);
  for (const [question, right] of spec.answers.entries()) await choice(quiz, question, question < wrong ? (right + 1) % 3 : right).click();
  return quiz;
}

await run({
  clicks: async () => {
    const page = await open(spec.url);
    const quiz = await clickThrough(page, "en", 3);
    const marks = await quiz.locator("[data-mark]").evaluateAll((all) => all.map((button) => button.dataset.mark));
    return { score: await score(quiz), feedback: await feedback(quiz), marks, other: await score(page.locator("section[lang=zh]")) };
  },
  secondAnswer: async () => {
    const quiz = (await open(spec.url)).locator("section[lang=zh]");
    const scores = [await score(quiz)];
    for (const index of [(spec.answers[0] + 1) % 3, spec.answers[0]]) {
      await choice(quiz, 0, index).click({ force: true }); // the second time it is disabled, and a person can click it
      scores.push(await score(quiz));
    }
    return scores;
  },
  keyboard: async () => {
    const page = await open(spec.url);
    const quiz = page.locator("section[lang=en]");
    const heard = await page.evaluateHandle(() => {
      const keys = [];
      document.addEventListener("keydown", (event) => keys.push(event.key));
      return keys;
    });
    const scores = [];
    for (const [question, key] of [[0, "Enter"], [1, "Space"]]) {
      await tabTo(page, `section[lang=en] fieldset:nth-of-type(${question + 1}) button:nth-of-type(${spec.answers[question] + 1})`);
      await page.keyboard.press(key);
      scores.push(await score(quiz));
    }
    const kept = await choice(quiz, 1, spec.answers[1]).evaluate((button) => button === document.activeElement);
    return { scores, kept, heard: [...new Set(await heard.jsonValue())] };
  },
  again: async () => {
    const page = await open(spec.url);
    const quiz = await clickThrough(page, "en", 0);
    const full = await score(quiz);
    await quiz.locator(".again").click();
    const empty = { score: await score(quiz), feedback: (await feedback(quiz)).join(""), marks: await quiz.locator("[data-mark]").count() };
    const focused = await choice(quiz, 0, 0).evaluate((button) => button === document.activeElement);
    await choice(quiz, 0, spec.answers[0]).click();
    return { full, empty, focused, next: await score(quiz) };
  },
  barriers: async () => {
    const found = [];
    for (const options of [{ colorScheme: "light" }, { colorScheme: "dark" }, PHONE]) {
      const page = await open(spec.url, options);
      found.push(...(await barriers(page)));
      await clickThrough(page, "zh", 2);
      found.push(...(await barriers(page)));
    }
    return found;
  },
  wide: async () => {
    const page = await open(spec.url, PHONE);
    return page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  },
});
