// The text of the view "Map", in English and Chinese; strings.js adds it to that of the page.

export const MAP_STRINGS = {
  en: {
    viewMap: "Map",
    mapTitle: "Map",
  },
  zh: {
    viewMap: "地图",
    mapTitle: "地图",
  },
};
