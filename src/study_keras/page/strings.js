// All text of the page, in English and Chinese.
import { BREAK_STRINGS } from "./break/strings.js";
import { MAP_STRINGS } from "./map/strings.js";
import { TEACH_STRINGS } from "./teach/strings.js";
import { TRAIN_STRINGS } from "./train/strings.js";

const withArticle = (name) => `${/^(8|11$|18$|[aeiou])/i.test(name) ? "an" : "a"} ${name}`;
const STRINGS = {
  en: {
    ...TRAIN_STRINGS.en,
    ...BREAK_STRINGS.en,
    ...TEACH_STRINGS.en,
    ...MAP_STRINGS.en,
    lead: "Draw a number; the network reads it as you draw.",
    draw: "Draw",
    pad: "Drawing area",
    hint: "Draw a number here",
    undo: "Undo",
    clear: "Clear",
    choose: "Picture",
    camera: "Camera",
    keys: "Keyboard: arrow keys move, Space lowers and lifts the pen, Backspace undoes, Delete clears. You can also drop or paste a picture.",
    answer: "Answer",
    seen: "What the network sees",
    seenPicture: "The 28 × 28 image that the network sees",
    models: "Model",
    layers: "Layer by layer",
    layersNote: "From the drawing to the answer, what each layer gives: the brighter, the larger the value.",
    private: "Your drawings and pictures stay on this device.",
    install: "Install",
    aim: "Dark digits on light paper",
    take: "Take picture",
    close: "Close",
    other: "中文",
    loading: "Loading the model …",
    nothing: "Nothing drawn yet",
    sure: (percent) => `${percent} sure`,
    unsure: (percent) => `not sure, ${percent}`,
    said: (digit, percent) => `This is ${withArticle(digit)}, ${percent}.`,
    doubted: (digit, percent) => `Perhaps ${withArticle(digit)}, ${percent}.`,
    digits: "Digits",
    named: (digit, sureness) => `${digit}: ${sureness}`,
    unread: "This ink could not be read.",
    saidAll: (text, { digits, doubtful, unread }) =>
      `${text}, ${digits} ${digits === 1 ? "digit" : "digits"}${doubtful ? `, ${doubtful} not sure` : ""}${unread ? `, ${unread} not read` : ""}.`,
    turned: (degrees) => `Turned ${degrees === 270 ? "90° clockwise" : degrees === 90 ? "90° counterclockwise" : "180°"} to be read.`,
    noDigit: "No digit found",
    penDown: "Pen down",
    penUp: "Pen up",
    milliseconds: (ms) => `${ms} ms`,
    notRun: "not run yet",
    neurons: (count) => `${count} values`,
    maps: (count, height, width) => `${count} feature maps, ${height} × ${width}`,
    layerImage: "The drawing",
    layerImageNote: "As the network sees it: as large as MNIST's digits, in the middle.",
    layerPixels: "28 × 28 pixels",
    layerParts: (units) => `What each of the ${units} units adds to each answer: its value times its weight. Blue speaks for it, orange against it.`,
    layerColon: ": ",
    layerComma: ", ",
    layerName: (kind, number) => (number ? `${["First", "Second", "Third", "Fourth", "Fifth"][number - 1] ?? `${number}th`} ${kind.toLowerCase()}` : kind),
    layerKinds: {
      convolution: "Convolution",
      maxPooling: "Max pooling",
      averagePooling: "Average pooling",
      normalization: "Batch normalization",
      dense: "Hidden layer",
      output: "Output layer",
    },
    layerFilters: (count) => `${count} filters`,
    layerUnits: (count) => `${count} units`,
    layerNotes: {
      firstConvolution: "Each filter looks for one small pattern, such as an edge, everywhere in the drawing.",
      convolution: "Each filter combines the maps above into a larger pattern.",
      maxPooling: "Of each square of pixels only the largest value stays.",
      averagePooling: "Each square of pixels becomes its mean.",
      normalization: "Each map is scaled to a common range.",
      dense: "Each unit adds up all pixels, each with its own weight.",
      output: "One value for each answer; softmax turns them into probabilities.",
    },
    noLayers: "LiteRT returns only the answer; choose a TensorFlow.js model to see the layers.",
    noInk: "No digit found in this picture. Dark digits on light paper work best.",
    noPicture: "This file cannot be read as a picture.",
    noCamera: "The camera is not available.",
    noModel: (name, reason) => `The model ${name} cannot be used: ${reason}`,
    noFinder: (reason) => `The networks that find digits cannot be loaded: ${reason}`,
    noModels: (reason) => `No model found: ${reason}`,
  },
  zh: {
    ...TRAIN_STRINGS.zh,
    ...BREAK_STRINGS.zh,
    ...TEACH_STRINGS.zh,
    ...MAP_STRINGS.zh,
    lead: "写数字，网络边看边认。",
    draw: "书写",
    pad: "书写区",
    hint: "在这里写数字",
    undo: "撤销",
    clear: "清空",
    choose: "图片",
    camera: "拍照",
    keys: "键盘：方向键移动画笔，空格键落笔或提笔，退格键撤销，Delete 键清空。也可以拖入或粘贴图片。",
    answer: "识别结果",
    seen: "网络看到的图像",
    seenPicture: "网络看到的 28 × 28 图像",
    models: "模型",
    layers: "逐层查看",
    layersNote: "从书写的图像到答案，每一层给出什么：越亮，数值越大。",
    private: "你写的数字和选择的图片都只保留在这台设备上。",
    install: "安装",
    aim: "浅色纸上的深色数字",
    take: "拍摄",
    close: "关闭",
    other: "English",
    loading: "正在加载模型……",
    nothing: "尚未书写",
    sure: (percent) => `置信度 ${percent}`,
    unsure: (percent) => `不确定，${percent}`,
    said: (digit, percent) => `这是 ${digit}，${percent}。`,
    doubted: (digit, percent) => `可能是 ${digit}，${percent}。`,
    digits: "各个数字",
    named: (digit, sureness) => `${digit}：${sureness}`,
    unread: "这处笔迹未能识别。",
    saidAll: (text, { digits, doubtful, unread }) =>
      `${text}，共 ${digits} 个数字${doubtful ? `，${doubtful} 个不确定` : ""}${unread ? `，${unread} 处未能识别` : ""}。`,
    turned: (degrees) => `图片${degrees === 270 ? "顺时针旋转 90°" : degrees === 90 ? "逆时针旋转 90°" : "旋转 180°"} 后识别。`,
    noDigit: "没有找到数字",
    penDown: "已落笔",
    penUp: "已提笔",
    milliseconds: (ms) => `${ms} 毫秒`,
    notRun: "尚未运行",
    neurons: (count) => `${count} 个数值`,
    maps: (count, height, width) => `${count} 个 ${height} × ${width} 的特征图`,
    layerImage: "书写的图像",
    layerImageNote: "网络看到的样子：大小与 MNIST 的数字相同，位于中央。",
    layerPixels: "28 × 28 个像素",
    layerParts: (units) => `${units} 个神经元各自给每个答案加上多少：它的值乘以权重。蓝色表示支持，橙色表示反对。`,
    layerColon: "：",
    layerComma: "，",
    layerName: (kind, number) => (number ? `第${"一二三四五六七八九十"[number - 1] ?? ` ${number} `}个${kind}` : kind),
    layerKinds: {
      convolution: "卷积层",
      maxPooling: "最大池化层",
      averagePooling: "平均池化层",
      normalization: "批归一化层",
      dense: "隐藏层",
      output: "输出层",
    },
    layerFilters: (count) => `${count} 个卷积核`,
    layerUnits: (count) => `${count} 个神经元`,
    layerNotes: {
      firstConvolution: "每个卷积核在整幅图中寻找一种小图案，例如某个方向的边缘。",
      convolution: "每个卷积核把上面的特征图组合成更大的图案。",
      maxPooling: "每个小方块只保留最大的值。",
      averagePooling: "每个小方块取平均值。",
      normalization: "把各个特征图缩放到相同的范围。",
      dense: "每个神经元把所有像素按各自的权重加起来。",
      output: "每个答案一个数值，softmax 把它们变成概率。",
    },
    noLayers: "LiteRT 只返回结果；要查看各层，请选择 TensorFlow.js 模型。",
    noInk: "图片中没有找到数字。浅色纸上的深色数字效果最好。",
    noPicture: "无法将这个文件作为图片读取。",
    noCamera: "摄像头不可用。",
    noModel: (name, reason) => `无法使用模型 ${name}：${reason}`,
    noFinder: (reason) => `无法加载查找数字的网络：${reason}`,
    noModels: (reason) => `没有找到模型：${reason}`,
  },
};
const KEY = "hello-mnist-language";

/** The strings of the current language. */
export function strings() {
  return STRINGS[document.documentElement.lang === "zh" ? "zh" : "en"];
}

/** Set the language that was chosen before, or that of the browser. */
export function startLanguage() {
  setLanguage(storedLanguage() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"));
}

/** Switch to the other language, and store the choice. */
export function switchLanguage() {
  const language = document.documentElement.lang === "zh" ? "en" : "zh";
  try {
    localStorage.setItem(KEY, language);
  } catch {} // storage may be blocked; then the choice lasts until the page is closed
  setLanguage(language);
}

function storedLanguage() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function setLanguage(language) {
  document.documentElement.lang = language === "zh" ? "zh" : "en";
  for (const element of document.querySelectorAll("[data-string]")) element.textContent = strings()[element.dataset.string];
  const other = document.getElementById("other");
  other.textContent = strings().other;
  other.lang = language === "zh" ? "en" : "zh";
  document.getElementById("pad").setAttribute("aria-label", strings().pad);
  document.getElementById("found").setAttribute("aria-label", strings().digits);
  document.getElementById("seen").setAttribute("aria-label", strings().seenPicture);
}
