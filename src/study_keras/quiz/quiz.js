// Answers at once, and counts the first answer of each question. Stands in each quiz: the first to run starts all.
(() => {
  for (const quiz of document.querySelectorAll(".hello-mnist-quiz:not([data-ready])")) start(quiz);

  function start(quiz) {
    quiz.dataset.ready = "";
    const questions = [...quiz.querySelectorAll("fieldset")];
    for (const question of questions)
      for (const button of question.querySelectorAll("button"))
        button.addEventListener("click", () => {
          if (question.dataset.chosen === undefined) choose(quiz, question, button);
          count(quiz, questions);
        });
    const again = quiz.querySelector(".again");
    again.addEventListener("click", () => {
      for (const question of questions) clear(question);
      count(quiz, questions);
      questions[0].querySelector("button").focus(); // the button that had the focus is hidden now
    });
    // Enter and the space bar press a button; a notebook has other uses for them.
    quiz.addEventListener("keydown", (event) => ["Enter", " "].includes(event.key) && event.stopPropagation());
  }

  function choose(quiz, question, button) {
    const buttons = [...question.querySelectorAll("button")];
    const right = buttons[Number(question.dataset.answer)];
    question.dataset.chosen = button === right ? "right" : "wrong";
    button.dataset.mark = "wrong";
    right.dataset.mark = "right";
    for (const other of buttons) other.setAttribute("aria-disabled", "true"); // `disabled` would lose the focus
    const why = question.querySelector("template").content.cloneNode(true);
    const said = quiz.dataset[question.dataset.chosen].replace("{letter}", right.textContent[0]);
    question.querySelector(".feedback").replaceChildren(`${said} `, why);
  }

  function clear(question) {
    delete question.dataset.chosen;
    for (const button of question.querySelectorAll("button")) {
      delete button.dataset.mark;
      button.removeAttribute("aria-disabled");
    }
    question.querySelector(".feedback").replaceChildren();
  }

  function count(quiz, questions) {
    const chosen = questions.flatMap((question) => question.dataset.chosen ?? []);
    const right = chosen.filter((result) => result === "right").length;
    const score = quiz.dataset.score.replace("{right}", right).replace("{answered}", chosen.length);
    quiz.querySelector(".score").textContent = chosen.length ? score : "";
    quiz.querySelector(".again").hidden = chosen.length === 0;
  }
})();
