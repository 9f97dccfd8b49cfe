// The text of the view "Break", in English and Chinese; strings.js adds it to that of the page.

export const BREAK_STRINGS = {
  en: {
    viewBreak: "Break",
    breakTitle: "Break",
  },
  zh: {
    viewBreak: "破坏",
    breakTitle: "破坏",
  },
};
