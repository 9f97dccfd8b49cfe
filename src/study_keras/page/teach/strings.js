// The text of the view "Teach", in English and Chinese; strings.js adds it to that of the page.

export const TEACH_STRINGS = {
  en: {
    viewTeach: "Teach",
    teachTitle: "Teach",
  },
  zh: {
    viewTeach: "教它",
    teachTitle: "教它",
  },
};
