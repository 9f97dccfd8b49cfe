// What the page says, in English and Chinese.

const WORDS = {
  en: {
    lead: "Draw a digit; the network reads it while you draw.",
    draw: "Draw",
    pad: "Drawing area",
    hint: "Draw a digit here",
    undo: "Undo",
    clear: "Clear",
    choose: "Picture",
    camera: "Camera",
    keys: "Keyboard: arrows move, Space lowers and lifts the pen, Backspace undoes, Delete clears. You can also drop a picture.",
    answer: "The answer",
    seen: "What the network sees",
    seenPicture: "The 28 by 28 picture that the network sees",
    models: "The model",
    layers: "Layer by layer",
    layersNote: "What each layer makes of the picture: the stronger, the brighter.",
    private: "Your drawings and pictures stay on this device.",
    install: "Install",
    aim: "One dark digit on light paper",
    take: "Take the picture",
    close: "Close",
    other: "中文",
    loading: "Loading the model …",
    nothing: "Nothing drawn yet",
    sure: (percent) => `${percent} sure`,
    unsure: (percent) => `not sure, ${percent}`,
    said: (digit, percent) => `This is a ${digit}, ${percent}.`,
    doubted: (digit, percent) => `Perhaps a ${digit}, ${percent}.`,
    penDown: "Pen down",
    penUp: "Pen up",
    milliseconds: (ms) => `${ms} ms`,
    notRun: "not run yet",
    neurons: (count) => `${count} numbers`,
    maps: (count, height, width) => `${count} pictures of ${height} × ${width}`,
    noLayers: "LiteRT shows the answer alone; choose a TensorFlow.js model to see the layers.",
    noInk: "No digit found in this picture. One dark digit on light paper works best.",
    noPicture: "This file cannot be read as a picture.",
    noCamera: "The camera cannot be used here.",
    noModel: (name, reason) => `The model ${name} cannot be used: ${reason}`,
    noModels: (reason) => `No model was found: ${reason}`,
  },
  zh: {
    lead: "写一个数字,网络一边看你写,一边认。",
    draw: "书写",
    pad: "书写区",
    hint: "在这里写一个数字",
    undo: "撤销",
    clear: "清空",
    choose: "图片",
    camera: "拍照",
    keys: "键盘:方向键移动,空格键落笔、提笔,退格键撤销,Delete 键清空。也可以把图片拖到这里。",
    answer: "答案",
    seen: "网络看到的图像",
    seenPicture: "网络看到的 28 × 28 图像",
    models: "模型",
    layers: "逐层查看",
    layersNote: "每一层从图像中得到了什么:越亮,数值越大。",
    private: "你写的数字和选的图片都只留在这台设备上。",
    install: "安装",
    aim: "浅色纸上写一个深色数字",
    take: "拍照",
    close: "关闭",
    other: "English",
    loading: "正在载入模型……",
    nothing: "还没有写",
    sure: (percent) => `把握 ${percent}`,
    unsure: (percent) => `不确定,${percent}`,
    said: (digit, percent) => `这是 ${digit},${percent}。`,
    doubted: (digit, percent) => `可能是 ${digit},${percent}。`,
    penDown: "已落笔",
    penUp: "已提笔",
    milliseconds: (ms) => `${ms} 毫秒`,
    notRun: "尚未运行",
    neurons: (count) => `${count} 个数`,
    maps: (count, height, width) => `${count} 幅 ${height} × ${width} 的图`,
    noLayers: "LiteRT 只给出答案;选择 TensorFlow.js 模型可以查看各层。",
    noInk: "图片里没有找到数字。浅色纸上写一个深色数字效果最好。",
    noPicture: "这个文件不是可读的图片。",
    noCamera: "这里无法使用摄像头。",
    noModel: (name, reason) => `无法使用模型 ${name}:${reason}`,
    noModels: (reason) => `没有找到模型:${reason}`,
  },
};
const KEY = "hello-mnist-language";

/** The words of the current language. */
export function words() {
  return WORDS[document.documentElement.lang === "zh" ? "zh" : "en"];
}

/** Speak the language that was chosen before, or that of the browser. */
export function startLanguage() {
  setLanguage(remembered() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"));
}

/** Change to the other language, and remember it. */
export function switchLanguage() {
  const language = document.documentElement.lang === "zh" ? "en" : "zh";
  try {
    localStorage.setItem(KEY, language);
  } catch {} // storage may be forbidden; then the choice lasts as long as the page
  setLanguage(language);
}

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function setLanguage(language) {
  document.documentElement.lang = language === "zh" ? "zh" : "en";
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words()[element.dataset.word];
  const other = document.getElementById("other");
  other.textContent = words().other;
  other.lang = language === "zh" ? "en" : "zh";
  document.getElementById("pad").setAttribute("aria-label", words().pad);
  document.getElementById("seen").setAttribute("aria-label", words().seenPicture);
}
