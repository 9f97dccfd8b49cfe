// The text of the view "Map", in English and Chinese; strings.js adds it to that of the page.

const thousands = (number) => number.toLocaleString("en");

export const MAP_STRINGS = {
  en: {
    viewMap: "Map",
    mapTitle: "A map of the digits",
    mapNote: (count, layer, ringed) =>
      `${thousands(count)} test images as the network tells them apart: those that are alike to it, in the layer “${layer}”, lie near each other (t-SNE). The cross is your digit.${ringed ? " Ringed images are read wrongly." : ""} Point at one to see it.`,
    mapLoading: "Looking at the test images …",
    mapNoLayers: "This model shows no layers; choose a TensorFlow.js model to see its map.",
    mapProblem: (reason) => `The map cannot be drawn: ${reason}`,
    mapDone: "The map is complete.",
    mapLabel: (count, own) => `A map of ${thousands(count)} test images${own === null ? "" : `; your digit lies among the ${own}s`}`,
    mapOne: (label, said) => (said === label ? `A ${label}, read as one.` : `A ${label}, read as a ${said}.`),
    neighboursTitle: "Most like your digit",
    neighboursNothing: "Draw a digit and watch it move on the map.",
    neighboursSaid: "To the network these test images are the most like your digit, the nearest first:",
  },
  zh: {
    viewMap: "地图",
    mapTitle: "数字的地图",
    mapNote: (count, layer, ringed) =>
      `${thousands(count)} 张测试图像在网络眼中的样子：在“${layer}”中越相似，位置越近（t-SNE）。十字是你写的数字。${ringed ? "带圈的图像识别错误。" : ""}指向一张即可查看。`,
    mapLoading: "正在查看测试图像……",
    mapNoLayers: "这个模型不显示各层；要查看地图，请选择 TensorFlow.js 模型。",
    mapProblem: (reason) => `无法绘制地图：${reason}`,
    mapDone: "地图已完成。",
    mapLabel: (count, own) => `${thousands(count)} 张测试图像的地图${own === null ? "" : `，你写的数字位于 ${own} 之中`}`,
    mapOne: (label, said) => (said === label ? `${label}，识别正确。` : `${label}，识别成 ${said}。`),
    neighboursTitle: "与你写的数字最像的图像",
    neighboursNothing: "写一个数字，看它在地图上怎样移动。",
    neighboursSaid: "在网络看来，这些测试图像与你写的数字最像，由近到远：",
  },
};
